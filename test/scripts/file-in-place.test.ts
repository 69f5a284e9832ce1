import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { withFileInPlace } from '../../scripts/file-in-place.ts'

const SCRIPT = new URL('../../scripts/file-in-place.ts', import.meta.url)

await t.test('takes the file away when the work is done, and when it fails', async (t) => {
  const path = `${t.testdir()}/policy`
  await withFileInPlace({ path, content: 'x', mode: 0o755 }, async () => {
    t.equal(readFileSync(path, 'utf8'), 'x')
    t.equal(statSync(path).mode & 0o100, 0o100, 'it can be executed')
  })
  t.notOk(existsSync(path))
  const failing = withFileInPlace({ path, content: 'x', mode: 0o755 }, async () => {
    throw new RangeError('no')
  })
  await t.rejects(failing, RangeError)
  t.notOk(existsSync(path))
})

await t.test('leaves a file alone that was there before', async (t) => {
  const path = `${t.testdir()}/policy`
  writeFileSync(path, 'theirs')
  await withFileInPlace({ path, content: 'x', mode: 0o755 }, async () => {})
  t.equal(readFileSync(path, 'utf8'), 'theirs')
})

await t.test('rejects where the file cannot be written', async (t) => {
  const path = `${t.testdir()}/missing/policy`
  const file = { path, content: 'x', mode: 0o755 }
  await t.rejects(
    withFileInPlace(file, async () => void t.fail('nothing is done')),
    { code: 'ENOENT' },
  )
})

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  await t.test(`takes the file away and fails when it gets ${signal}`, async (t) => {
    const path = `${t.testdir()}/policy`
    const program = `
      import { withFileInPlace } from ${JSON.stringify(SCRIPT.href)}
      const file = { path: ${JSON.stringify(path)}, content: 'x', mode: 0o755 }
      await withFileInPlace(file, async (stopped) => {
        await new Promise((resolve) => {
          const busy = setInterval(() => {}, 60_000)
          stopped.addEventListener('abort', () => resolve(clearInterval(busy)))
          process.stdout.write('working')
        })
      })
    `
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    child.stderr.setEncoding('utf8')
    let said = ''
    child.stderr.on('data', (text: string) => (said += text))
    const ended = once(child, 'close')
    await once(child.stdout, 'data')
    t.ok(existsSync(path))
    child.kill(signal)
    t.strictSame(await ended, [1, null])
    t.match(said, `stopped by ${signal}`)
    t.notOk(existsSync(path))
  })
}
