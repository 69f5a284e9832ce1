import t from 'tap'
import { SharedAnswer } from '../../src/lib/shared-answer.ts'

await t.test('makes a few answers anew, and gives all beyond the last', async (t) => {
  let nowMs = 0
  let made = 0
  const answer = new SharedAnswer(async () => (made += 1), { burst: 3, perSecond: 2, now: () => nowMs })
  const ask = (times: number): Promise<number[]> =>
    Promise.all(Array.from({ length: times }, () => answer.ask()))
  t.same(await ask(5), [1, 2, 3, 3, 3])
  nowMs = 499
  t.same(await ask(2), [3, 3])
  nowMs = 500
  t.same(await ask(2), [4, 4], 'one more each half second')
  nowMs = 3_600_000
  t.same(await ask(5), [5, 6, 7, 7, 7], 'and a burst no larger after a long rest')
})

await t.test('shares what is still under way, and its failure', async (t) => {
  let nowMs = 0
  let made = 0
  const fail = async (): Promise<never> => {
    made += 1
    throw new Error(`no ${made}`)
  }
  const answer = new SharedAnswer(fail, { burst: 1, perSecond: 1, now: () => nowMs })
  const first = answer.ask()
  t.equal(answer.ask(), first)
  await t.rejects(first, { message: 'no 1' })
  nowMs = 1000
  await t.rejects(answer.ask(), { message: 'no 2' })
})
