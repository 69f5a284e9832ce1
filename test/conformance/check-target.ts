import type { Test } from 'tap'
import { CASES } from './cases.ts'
import type { Judged } from './judged.ts'
import { runCases } from './run-cases.ts'
import type { Target } from './target.ts'
import { faultOf, staleDifferences } from './verdict.ts'

type Place = Pick<Target, 'url' | 'host'>

/** Runs the suite against a server as `guest` and asserts each outcome. */
export async function checkTarget(t: Test, judged: Judged, { url, host }: Place): Promise<void> {
  const { offers, differences } = judged
  const outcomes = await runCases(Object.values(CASES).flat(), {
    url,
    host,
    login: 'guest',
    passcode: 'guest',
    offers,
  })
  t.ok(outcomes.length > 300, `${outcomes.length} runs of cases`)
  for (const outcome of outcomes) {
    t.equal(faultOf(outcome, differences), undefined, `${outcome.id} in ${outcome.version}`)
  }
  t.same(staleDifferences(outcomes, differences), [], 'every listed difference was looked for')
}
