import process from 'node:process'
import { parseArgs } from 'node:util'
import { CASES } from './cases.ts'
import { runCases } from './run-cases.ts'
import { ALL_EXTENSIONS, EXTENSIONS, type Extension } from './target.ts'

const USAGE = `node --import tsx test/conformance/main.ts --url ws://HOST:PORT/PATH [options]

  --login NAME --passcode TEXT   an account that may use everything; default guest, guest
  --host NAME                    the host header of CONNECT; default /
  --offers A,B,…                 what the server offers; default all:
${Object.entries(EXTENSIONS)
  .map(([name, meaning]) => `                                   ${name}: ${meaning}`)
  .join('\n')}
  --only TEXT                    cases whose id holds this

It leaves queues named conformance-… behind. Exit code 1 where anything differs.
`

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    login: { type: 'string', default: 'guest' },
    passcode: { type: 'string', default: 'guest' },
    host: { type: 'string', default: '/' },
    offers: { type: 'string', default: ALL_EXTENSIONS.join(',') },
    only: { type: 'string', default: '' },
  },
})

function isExtension(name: string): name is Extension {
  return name in EXTENSIONS
}

async function main(url: string): Promise<void> {
  const { login, passcode, host, offers, only } = values
  const target = { url, login, passcode, host, offers: new Set(offers.split(',').filter(isExtension)) }
  const cases = Object.values(CASES)
    .flat()
    .filter(({ id }) => id.includes(only))
  const outcomes = await runCases(cases, target)
  for (const { id, version, deviation } of outcomes) {
    process.stdout.write(`${id.padEnd(28)} ${version}  ${deviation ?? 'ok'}\n`)
  }
  const differing = outcomes.filter(({ deviation }) => deviation !== undefined).length
  process.stdout.write(`${outcomes.length} runs, ${differing} differ\n`)
  process.exitCode = differing === 0 ? 0 : 1
}

if (values.url === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  await main(values.url)
}
