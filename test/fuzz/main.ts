import { parseArgs } from 'node:util'
import { Teardown } from '../../src/lib/teardown.ts'
import { fuzz } from './fuzz-run.ts'

/*
 * Lets hostile clients loose on a node:
 *
 *   npm run fuzz -- [--minutes 10] [--seed NUMBER]
 *
 * Prints the seed of each batch, and ends with exit code 1 where the node did anything but bear it.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
})

const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const endsAt = performance.now() + Number(values.minutes) * 60_000
const teardown = new Teardown()
const t = { teardown: (fn: () => void | Promise<void>): void => teardown.add(async () => fn()) }
try {
  const { connections, heap, faults } = await fuzz(t, {
    seed,
    isOver: () => performance.now() > endsAt,
    say: (line) => console.log(line),
  })
  for (const fault of faults) console.log(`FAULT ${fault}`)
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  console.log(`seed ${seed}: ${connections} connections, ${faults.length} faults`)
  console.log(`heap after a collection: ${mib(heap.before)} -> ${mib(heap.after)}`)
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await teardown.run()
}
