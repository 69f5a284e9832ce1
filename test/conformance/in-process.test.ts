import t from 'tap'
import { useRelay } from '../support/relay.ts'
import { checkTarget } from './check-target.ts'
import { JUDGED } from './judged.ts'

// A missed heart-beat of ten seconds shows only after twenty.
t.setTimeout(240_000)

await t.test('the in-process broker does what the conformance suite says', async (t) => {
  const { url } = await useRelay(t, { LIMIT_SESSIONS_PER_USER: '1000' })
  await checkTarget(t, JUDGED['in-process'], { url, host: '/' })
})
