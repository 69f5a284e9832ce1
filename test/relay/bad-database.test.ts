import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runProgram, startProcess, type Ended } from '../support/child-process.ts'
import { temporaryFolder } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

const MAIN = 'src/main.ts'

/** A process that cannot start says why in one sentence, for a person, and in the log. */
function refused(t: Test, ended: Ended, reason: RegExp): void {
  t.equal(ended.code, 1)
  const sentence = ended.stderr.trim()
  t.match(sentence, reason)
  t.match(sentence, /^stomp-relay: [^\n]*$/, 'one line')
  t.match(JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? ''), { level: 'fatal', event: 'start-failed' })
}

await t.test('refuses to start on a database that cannot be opened', async (t) => {
  const folder = await temporaryFolder(t)
  const notes = join(folder, 'notes.txt')
  writeFileSync(notes, 'This is no database, but a note that is long enough to be taken for one. '.repeat(20))
  const inAFile = join(notes, 'relay.db')
  for (const [path, reason] of [
    [folder, /the database .* cannot be opened: it is a folder/],
    [notes, /the database .*notes\.txt cannot be opened: .*not a database/],
    [inAFile, /the database .* cannot be opened: .*(ENOTDIR|EEXIST)/],
  ] as const) {
    refused(t, await runProgram(t, [MAIN], { env: { PORT: '0', DATABASE_URL: `sqlite:${path}` } }), reason)
  }
})

await t.test('refuses to be the second process on one database, and leaves the first alone', async (t) => {
  const DATABASE_URL = `sqlite:${join(await temporaryFolder(t), 'relay.db')}`
  const first = await startProcess(t, { DATABASE_URL })
  const alice = await StompClient.connect(t, first.url, { login: 'alice' })
  await alice.subscribe('m', '/topic/messages')
  refused(
    t,
    await runProgram(t, [MAIN], { env: { PORT: '0', DATABASE_URL } }),
    /relay\.db is in use by another process that serves it/,
  )
  await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"still here"}')
  t.equal((await alice.message('m')).payload['content'], 'still here')
})

await t.test('refuses to start where its port is taken', async (t) => {
  const taken = createServer()
  t.teardown(() => taken.close())
  taken.listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const DATABASE_URL = `sqlite:${join(await temporaryFolder(t), 'relay.db')}`
  refused(
    t,
    await runProgram(t, [MAIN], { env: { PORT: String(port), DATABASE_URL } }),
    new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
  )
})
