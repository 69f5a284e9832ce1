import { execFile } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { plainEnvironment } from '../support/plain-environment.ts'
import { event } from './rows.ts'
import { withThreads } from './sqlite-rig.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

await t.test('answers store-unavailable when its threads have died, and can be closed', async (t) => {
  const url = `sqlite:${t.testdir()}/relay.db`
  const { opened: store, threads } = await withThreads(() => openStore({ url, nodeId: 'n', lock: true }))
  t.teardown(() => store.close())
  t.equal(threads.length, 2, 'one writes, one reads')
  for (const thread of threads) await thread.terminate()
  const dead = { code: 'store-unavailable', cause: { message: 'the database thread has ended' } }
  await t.rejects(
    store.transact((tx) => tx.appendEvents([event('/topic/a')])),
    dead,
  )
  await t.rejects(store.log.head('/topic/a'), dead)
  await t.rejects(store.ping(), dead)
  await store.close()
  const again = await openStore({ url, nodeId: 'n', lock: true })
  t.teardown(() => again.close())
  t.equal(await again.log.head('/topic/a'), 0, 'the lock was given back')
})

await t.test('works as it is built, without a loader', async (t) => {
  const folder = t.testdir()
  const run = promisify(execFile)
  const build = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', `${folder}/dist`]
  const options = { cwd: ROOT, env: plainEnvironment() }
  await run(process.execPath, ['node_modules/typescript/bin/tsc', ...build], options)
  const built = pathToFileURL(`${folder}/dist/src/store/kysely/open-store.js`).href
  const program = `
    const { openStore } = await import(${JSON.stringify(built)})
    const store = await openStore({ url: 'sqlite:${folder}/relay.db', nodeId: 'n', lock: true })
    console.log(await store.log.head('/topic/a'))
    await store.close()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], options)
  t.equal(stdout, '0\n')
})
