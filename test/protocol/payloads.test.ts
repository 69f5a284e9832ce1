import { createHash } from 'node:crypto'
import t from 'tap'
import { type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { exampleOf } from '../../protocol/example.ts'
import { PAYLOAD_HISTORY, PAYLOADS, payloadsCanon } from '../../protocol/payload-versions.ts'
import { BROADCAST_POST } from '../../protocol/payload/broadcast.ts'
import { ORDER_SEND, ORDER_STATUS } from '../../protocol/payload/order.ts'
import { PUBLIC_MESSAGE_SEND } from '../../protocol/payload/public-message.ts'
import { ROOM_MESSAGE_SEND } from '../../protocol/payload/room-message.ts'
import { fieldsOf } from '../support/protocol-docs.ts'

await t.test('a change of what travels has its line of history', async (t) => {
  const sha256 = createHash('sha256').update(payloadsCanon()).digest('hex')
  const last = PAYLOAD_HISTORY.at(-1)
  t.equal(last?.sha256, sha256, 'add a line to PAYLOAD_HISTORY with the hash of the new shapes')
  t.strictSame(
    PAYLOAD_HISTORY.map(({ version }) => version),
    PAYLOAD_HISTORY.map((_, i) => i + 1),
    'versions count up',
  )
  t.equal(new Set(PAYLOAD_HISTORY.map((line) => line.sha256)).size, PAYLOAD_HISTORY.length)
})

function canon(schema: TSchema): string {
  return payloadsCanon([{ name: 'x', travels: '', schema }])
}

await t.test('prose may change without a new version, shapes may not', async (t) => {
  const base = canon(Type.Object({ description: Type.String() }))
  t.equal(canon(Type.Object({ description: Type.String({ description: 'new', examples: ['a'] }) })), base)
  t.not(canon(Type.Object({ examples: Type.String() })), base)
  t.not(canon(Type.Object({ description: Type.String({ maxLength: 3 }) })), base)
  t.not(canon(Type.Object({ description: Type.Optional(Type.String()) })), base)
})

for (const { name, schema } of PAYLOADS) {
  await t.test(`${name}: its example fits, and every field is described`, async (t) => {
    t.ok(Value.Check(schema, exampleOf(schema)))
    for (const { field, description } of fieldsOf(schema)) t.ok(description, field)
  })
}

await t.test('messages hold 1 to 8192 characters', async (t) => {
  for (const schema of [PUBLIC_MESSAGE_SEND, ROOM_MESSAGE_SEND]) {
    t.ok(Value.Check(schema, { content: 'x' }))
    t.ok(Value.Check(schema, { content: 'x'.repeat(8_192) }))
    t.notOk(Value.Check(schema, { content: '' }))
    t.notOk(Value.Check(schema, { content: 'x'.repeat(8_193) }))
    t.notOk(Value.Check(schema, { content: 1 }))
    t.notOk(Value.Check(schema, {}))
    t.ok(Value.Check(schema, { content: 'x', clientId: 'x'.repeat(128) }))
    t.notOk(Value.Check(schema, { content: 'x', clientId: '' }))
    t.notOk(Value.Check(schema, { content: 'x', clientId: 'x'.repeat(129) }))
  }
})

await t.test('unknown fields are borne and dropped', async (t) => {
  const body = { content: 'x', sender: 'mallory', extra: { a: 1 } }
  t.ok(Value.Check(PUBLIC_MESSAGE_SEND, body))
  t.strictSame(Value.Clean(PUBLIC_MESSAGE_SEND, body), { content: 'x' })
})

await t.test('orders demand id, user and a known status', async (t) => {
  const order = { orderId: '1001', userId: 'alice', status: 'PLACED' }
  t.ok(Value.Check(ORDER_SEND, order))
  for (const status of ['PLACED', 'PREPARED', 'READY', 'SHIPPED', 'DELIVERED', 'CANCELLED']) {
    t.ok(Value.Check(ORDER_STATUS, status), status)
  }
  t.notOk(Value.Check(ORDER_SEND, { ...order, status: 'LOST' }))
  t.notOk(Value.Check(ORDER_SEND, { ...order, orderId: 'a.b' }))
  t.notOk(Value.Check(ORDER_SEND, { ...order, userId: 'a b' }))
  t.notOk(Value.Check(ORDER_SEND, { ...order, version: -1 }))
  t.notOk(Value.Check(ORDER_SEND, { ...order, updatedAt: 'yesterday' }))
  for (const field of ['orderId', 'userId', 'status'])
    t.notOk(Value.Check(ORDER_SEND, { ...order, [field]: undefined }))
})

await t.test('broadcasts demand a title and a message', async (t) => {
  t.ok(Value.Check(BROADCAST_POST, { title: 'a', message: 'b' }))
  t.notOk(Value.Check(BROADCAST_POST, { title: 'a' }))
  t.notOk(Value.Check(BROADCAST_POST, { title: '', message: 'b' }))
})
