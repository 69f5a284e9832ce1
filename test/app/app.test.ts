import t from 'tap'
import { Type } from 'typebox'
import { App, type AppContext } from '../../src/app/app.ts'

function contextOf(destination: string): Omit<AppContext, 'params'> {
  return {
    principal: { name: 'alice', roles: ['user'] },
    sessionId: 's',
    destination,
    headers: [],
    reply: () => undefined,
  }
}

const ANY = Type.Object({})

await t.test('gives a message to the first pattern that fits', async (t) => {
  const calls: unknown[] = []
  const app = new App()
    .message('/app/{x}', { payload: ANY, handle: async ({ params }) => void calls.push(params) })
    .message('/app/b', { payload: ANY, handle: async () => void calls.push('never') })
    .message('/app/b/c', { payload: ANY, handle: async ({ destination }) => void calls.push(destination) })
  await app.handleMessage(contextOf('/app/b'), Buffer.from('{}'))
  await app.handleMessage(contextOf('/app/b/c'), Buffer.from('{}'))
  t.same(calls, [{ x: 'b' }, '/app/b/c'])
})

await t.test('checks a body before the handler sees it', async (t) => {
  const seen: unknown[] = []
  const payload = Type.Object({ a: Type.Integer() })
  const app = new App().message('/app/a', { payload, handle: async (_context, body) => void seen.push(body) })
  t.throws(() => app.handleMessage(contextOf('/app/a'), Buffer.from('{"a":"x"}')), {
    code: 'invalid-payload',
  })
  await app.handleMessage(contextOf('/app/a'), Buffer.from('{"a":1,"b":2}'))
  t.same(seen, [{ a: 1 }])
})

await t.test('answers subscriptions apart from messages', async (t) => {
  const app = new App()
    .message('/app/a', { payload: ANY, handle: () => Promise.resolve() })
    .subscription('/app/rooms/{room}/x', { answer: async ({ params }) => params })
  t.same(await app.answerSubscription(contextOf('/app/rooms/lobby/x')), { room: 'lobby' })
  t.throws(() => app.answerSubscription(contextOf('/app/a')), {
    code: 'unknown-destination',
    message: 'nothing answers at /app/a',
  })
  t.throws(() => app.handleMessage(contextOf('/app/rooms/r/x'), Buffer.from('{}')), {
    code: 'unknown-destination',
    message: 'nothing answers at /app/rooms/r/x',
  })
})
