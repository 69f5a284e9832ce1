import t from 'tap'
import { addressKey } from '../../src/lib/address-key.ts'

await t.test('counts an IPv4 address by itself, however it came', async (t) => {
  t.equal(addressKey('192.0.2.1'), '192.0.2.1')
  t.equal(addressKey('::ffff:192.0.2.1'), '192.0.2.1')
  t.equal(addressKey('::FFFF:192.0.2.1'), '192.0.2.1')
})

await t.test('counts the addresses of a /64 network as one', async (t) => {
  for (const [address, key] of [
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1:2', '2001:db8:0:0::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
  ] as const) {
    t.equal(addressKey(address), key, address)
  }
})

await t.test('knows no ports, which some proxies write', async (t) => {
  t.equal(addressKey('192.0.2.7:50123'), '192.0.2.7')
  t.equal(addressKey('[2001:db8:1:2::7]:443'), '2001:db8:1:2::/64')
  t.equal(addressKey('[2001:db8:1:2::7]'), '2001:db8:1:2::/64')
})

await t.test('counts as one whatever is no address', async (t) => {
  for (const text of ['', 'unknown', 'a:1', '300.1.2.3', '1.2.3.4:x', '[::1'])
    t.equal(addressKey(text), 'unknown')
})
