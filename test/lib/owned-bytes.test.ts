import t from 'tap'
import { ownedBytes } from '../../src/lib/owned-bytes.ts'

await t.test('copies a small part of a large buffer', async (t) => {
  const whole = Buffer.alloc(1000, 'x')
  const owned = ownedBytes(whole.subarray(10, 12))
  t.equal(owned.buffer.byteLength, 2)
  t.same([...owned], [120, 120])
})

await t.test('copies a small Buffer out of the pool that Node shares among them', async (t) => {
  const owned = ownedBytes(Buffer.from('abc'))
  t.equal(owned.buffer.byteLength, 3)
})

await t.test('keeps a view on at least half of its buffer as it is', async (t) => {
  const view = new Uint8Array(1000).subarray(500)
  t.equal(ownedBytes(view), view)
})

await t.test('an empty view does not keep its buffer', async (t) => {
  t.equal(ownedBytes(new Uint8Array(1000).subarray(3, 3)).buffer.byteLength, 0)
})
