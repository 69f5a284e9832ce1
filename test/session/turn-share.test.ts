import t from 'tap'
import { MAX_FRAMES_A_TURN, MIN_FRAMES_A_TURN, TurnShare } from '../../src/session/turn-share.ts'

await t.test('whoever is alone may take all of a turn, and many share it', (t) => {
  const turns = new TurnShare(() => 1000)
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

await t.test('forgets who takes nothing any more', (t) => {
  let nowMs = 1000
  const turns = new TurnShare(() => nowMs)
  let mine = turns.enter(0)
  for (let i = 0; i < 7; i++) turns.enter(0)
  const ofEight = turns.share
  nowMs += 100
  mine = turns.enter(mine)
  t.equal(turns.share, ofEight, 'they were there a moment ago')
  nowMs += 100
  turns.enter(mine)
  t.equal(turns.share, MAX_FRAMES_A_TURN)
  for (let i = 0; i < 7; i++) turns.enter(0)
  nowMs += 200
  turns.enter(0)
  t.equal(turns.share, MAX_FRAMES_A_TURN, 'nobody was there for long')
  t.end()
})
