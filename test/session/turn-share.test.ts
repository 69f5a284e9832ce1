import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { MAX_FRAMES_A_TURN, MIN_FRAMES_A_TURN, TurnShare } from '../../src/session/turn-share.ts'
import { until } from '../support/until.ts'

await t.test('whoever is alone may take all of a turn, and many share it', (t) => {
  const turns = new TurnShare()
  t.equal(turns.share, MAX_FRAMES_A_TURN)
  const first = turns.enter(0)
  t.equal(turns.share, MAX_FRAMES_A_TURN)
  turns.enter(0)
  const ofTwo = turns.share
  t.ok(ofTwo < MAX_FRAMES_A_TURN && ofTwo > MIN_FRAMES_A_TURN, `${ofTwo}`)
  turns.enter(first)
  t.equal(turns.share, ofTwo, 'who is known counts once')
  for (let i = 0; i < MAX_FRAMES_A_TURN; i++) turns.enter(0)
  t.equal(turns.share, MIN_FRAMES_A_TURN)
  t.end()
})

await t.test('forgets who takes nothing any more', async (t) => {
  const turns = new TurnShare()
  let mine = turns.enter(0)
  for (let i = 0; i < 7; i++) turns.enter(0)
  t.ok(turns.share < MAX_FRAMES_A_TURN)
  await until(() => {
    mine = turns.enter(mine)
    return turns.share === MAX_FRAMES_A_TURN
  })
  for (let i = 0; i < 7; i++) turns.enter(0)
  // Longer than two of its windows: nobody has taken anything since.
  await delay(250)
  turns.enter(0)
  t.equal(turns.share, MAX_FRAMES_A_TURN)
})
