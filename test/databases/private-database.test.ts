import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { childrenOf } from '../../databases/process-tree.ts'
import { plainEnvironment } from '../support/plain-environment.ts'
import { temporaryFolder } from '../support/relay.ts'
import { until } from '../support/until.ts'
import { KINDS, type Kind } from './kinds.ts'
import { isRunning, isStopped } from './process-state.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

t.setTimeout(180_000)

for (const kind of KINDS) {
  await t.test(`${kind.name}: takes a test's database away, even out of a transaction`, async (t) => {
    const ends: (() => Promise<void>)[] = []
    const url = await kind.useDatabase({ teardown: (fn) => ends.push(fn) })
    t.not(await kind.useDatabase(t), url, 'each call makes another')
    const user = await kind.connect(url)
    t.teardown(async () => user.close())
    t.equal(await user.query(kind.countTables), '0')
    await user.query('CREATE TABLE kept (id int)')
    await user.query('BEGIN')
    await user.query('INSERT INTO kept VALUES (1)')
    for (const end of ends) await end()
    await t.rejects(user.query('SELECT 1'), 'the connection is cut')
    await t.rejects(kind.connect(url), 'neither account nor database are there')
  })

  await t.test(`${kind.name}: keeps data and port through kill and through shutting down`, async (t) => {
    const { url, server } = await kind.useServer(t)
    const { pid, port } = server
    t.ok(port < 32_768 && pid !== undefined)
    const first = await kind.connect(url)
    t.teardown(async () => first.close())
    await first.query('CREATE TABLE kept (id int)')
    for (const end of ['kill', 'shutDown'] as const) {
      const user = await kind.connect(url)
      t.teardown(async () => user.close())
      await user.query('INSERT INTO kept VALUES (1)')
      const processes = [server.pid!, ...(await childrenOf(server.pid!))]
      await server[end]()
      t.equal(server.pid, undefined)
      for (const each of processes) t.notOk(await isRunning(each), `${end} ends process ${each}`)
      await t.rejects(kind.connect(url), 'nobody listens')
      await server.start()
    }
    await server.start()
    t.ok(server.pid !== pid && server.port === port)
    const last = await kind.connect(url)
    t.teardown(async () => last.close())
    t.equal(await last.query('SELECT count(*) FROM kept'), '2')
  })

  await t.test(`${kind.name}: answers nothing while frozen and everything after`, async (t) => {
    const { url, server } = await kind.useServer(t)
    const user = await kind.connect(url)
    t.teardown(async () => user.close())
    const processes = [server.pid!, ...(await childrenOf(server.pid!))]
    await server.freeze()
    for (const each of processes) t.ok(await isStopped(each))
    const answer = user.query('SELECT 7')
    const socket = connect({ host: server.host, port: server.port })
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    server.thaw()
    t.equal(await answer, '7')
    for (const each of processes) t.notOk(await isStopped(each))
    await server.freeze()
    await server.shutDown()
    t.equal(server.pid, undefined, 'a frozen one can be shut down')
  })

  await t.test(`${kind.name}: leaves nothing behind when it is stopped`, async (t) => {
    const { url, server } = await kind.useServer(t)
    const processes = [server.pid!, ...(await childrenOf(server.pid!))]
    await server.freeze()
    await server.stop()
    await server.stop()
    for (const each of processes) t.notOk(await isRunning(each))
    await t.rejects(kind.connect(url))
  })

  for (const state of ['running', 'frozen'] as const) {
    await t.test(`${kind.name}: ends when the process that started it is killed, ${state}`, async (t) => {
      const folder = await temporaryFolder(t)
      // The server is another user, who must get through.
      await chmod(folder, 0o711)
      const starter = await startElsewhere(t, kind, folder, state === 'frozen')
      t.equal((await serverFolders(folder)).length, 1)
      const processes = [starter.pid, ...(await childrenOf(starter.pid))]
      for (const each of processes) t.ok(await isRunning(each))
      await starter.kill()
      for (const each of processes) await until(async () => !(await isRunning(each)))
      await until(async () => (await serverFolders(folder)).length === 0)
    })
  }
}

/** The loader that compiles the program has a folder there too. */
async function serverFolders(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('stomp-relay-'))
}

interface Teardown {
  teardown(fn: () => void): void
}

/** Starts a server from another process, with its folder inside of this one. */
async function startElsewhere(t: Teardown, kind: Kind, folder: string, isFrozen: boolean) {
  const program = `
    import { ${kind.start.name} as start } from './databases/${kind.start.module}'
    const server = await start()
    ${isFrozen ? 'await server.freeze()' : ''}
    process.stdout.write(server.pid + '\\n')
    setInterval(() => undefined, 60_000)
  `
  const starter = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: ROOT,
    env: { ...plainEnvironment(), TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => starter.kill('SIGKILL'))
  const exited = once(starter, 'exit')
  const said = await Promise.race([once(starter.stdout, 'data'), exited])
  return {
    pid: Number(String(said[0])),
    async kill() {
      starter.kill('SIGKILL')
      await exited
    },
  }
}
