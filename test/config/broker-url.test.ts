import * as fc from 'fast-check'
import t from 'tap'
import { describeBrokerUrl, parseBrokerUrl } from '../../src/config/broker-url.ts'

const stomp = (text: string) => parseBrokerUrl(text, 'stomp', 61613)
const amqp = (text: string) => parseBrokerUrl(text, 'amqp', 5672)

await t.test('reads account, hosts and virtual host', async (t) => {
  t.same(stomp('stomp://bob:secret@rabbit-1:61700,rabbit_2.example.com/orders'), {
    isTls: false,
    user: 'bob',
    password: 'secret',
    vhost: 'orders',
    hosts: [
      { host: 'rabbit-1', port: 61700 },
      { host: 'rabbit_2.example.com', port: 61613 },
    ],
  })
})

await t.test('is guest at / where the URL says no more than a host', async (t) => {
  const plain = { user: 'guest', password: 'guest', vhost: '/', isTls: false }
  t.match(amqp('amqp://localhost'), { ...plain, hosts: [{ host: 'localhost', port: 5672 }] })
  t.match(amqp('amqp://localhost/'), plain)
  t.match(stomp('stomp://localhost/%2F'), plain)
})

await t.test('has the ports of TLS where the scheme says so', async (t) => {
  t.match(stomp('stomps://a'), { isTls: true, hosts: [{ host: 'a', port: 61614 }] })
  t.match(amqp('amqps://a,b:1234'), { isTls: true, hosts: [{ port: 5671 }, { host: 'b', port: 1234 }] })
})

await t.test('takes IPv6 addresses in brackets', async (t) => {
  t.same(stomp('stomp://[::1],[fe80::1]:61700').hosts, [
    { host: '::1', port: 61613 },
    { host: 'fe80::1', port: 61700 },
  ])
})

await t.test('decodes account and virtual host, and finds the last @', async (t) => {
  t.match(amqp('amqp://us%40er:p%3Aa%2Fss@host/a%2Fb%20c'), {
    user: 'us@er',
    password: 'p:a/ss',
    vhost: 'a/b c',
  })
  t.match(amqp('amqp://u:p@ss:word@host'), { user: 'u', password: 'p@ss:word', hosts: [{ host: 'host' }] })
  t.match(amqp('amqp://u:@host'), { user: 'u', password: '' })
})

await t.test('gives back any account and virtual host that was encoded', async (t) => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 })
  fc.assert(
    fc.property(text, text, text, (user, password, vhost) => {
      const account = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
      const url = amqp(`amqp://${account}@host:1/${encodeURIComponent(vhost)}`)
      return url.user === user && url.password === password && url.vhost === vhost
    }),
  )
  t.pass('no counterexample')
})

await t.test('refuses what is no such URL, and never shows the password', async (t) => {
  for (const text of [
    'hunter2',
    'http://u:hunter2@host',
    'amqp://u:hunter2@host',
    'stomp:u:hunter2@host',
    'stomp://u:hunter2@',
    'stomp://hunter2@host',
    'stomp://u:hunter2%zz@host',
    'stomp://u:hunter2@host/%E0%A4%A',
    'stomp://u:hunter2@host:0',
    'stomp://u:hunter2@host:65536',
    'stomp://u:hunter2@host:port',
    'stomp://u:hunter2@host,,other',
    'stomp://u:hunter2@::1',
    'stomp://u:hunter2@[::1',
    'stomp://u:hunter2@host?vhost=a',
    'STOMP://u:hunter2@host',
    '',
  ]) {
    try {
      stomp(text)
      t.fail(`${text} was taken`)
    } catch (error) {
      t.match(error, { message: /^stomp:\/\/user:pass@host:port\/vhost \(stomps: for TLS/ }, text)
      t.notMatch(String(error), /hunter2/)
    }
  }
})

await t.test('is described without the account', async (t) => {
  t.equal(describeBrokerUrl(amqp('amqp://u:hunter2@a,b:1')), 'a:5672,b:1')
})
