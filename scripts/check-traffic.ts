import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describedNames, TRAFFIC_FOLDER, type Traffic } from '../test/support/witness.ts'

/**
 * Fails where the tests never saw something that `/openapi.json` or `/asyncapi.json` describes. That they saw nothing
 * else, the tests say themselves.
 */
function checkTraffic(): boolean {
  const all = readdirSync(TRAFFIC_FOLDER).map(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the witness
    (name) => JSON.parse(readFileSync(join(TRAFFIC_FOLDER, name), 'utf8')) as Traffic,
  )
  const described = new Set(all.flatMap((traffic) => describedNames(traffic)))
  const seen = new Set(all.flatMap((traffic) => traffic.seen))
  const unseen = [...described].filter((name) => !seen.has(name))
  for (const name of unseen) console.error(`described, but never seen: ${name}`)
  console.log(
    `${all.length} suites, ${described.size} answers and messages described, ${unseen.length} not seen`,
  )
  return described.size > 0 && unseen.length === 0
}

process.exitCode = checkTraffic() ? 0 : 1
