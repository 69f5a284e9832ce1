import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { currentTurn, nextTurn } from '../../src/lib/event-turn.ts'

await t.test('all that happens in one turn has one number, microtasks included', async (t) => {
  await setImmediate()
  const turn = currentTurn()
  await Promise.resolve()
  t.equal(currentTurn(), turn)
  const next = nextTurn()
  t.equal(nextTurn(), next)
  await next
  t.not(currentTurn(), turn)
})

await t.test('the next turn comes after what this one still has to do', async (t) => {
  const order: string[] = []
  const next = nextTurn().then(() => order.push('next'))
  await Promise.resolve().then(() => order.push('this'))
  await next
  t.same(order, ['this', 'next'])
})
