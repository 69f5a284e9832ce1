import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import t from 'tap'
import { WebSocket } from 'ws'
import { readConfig } from '../../src/config/config.ts'
import { selfSigned } from '../support/certificates.ts'
import { startProcess } from '../support/child-process.ts'
import { temporaryFolder, useRelay } from '../support/relay.ts'
import { until } from '../support/until.ts'

const folder = await temporaryFolder(t)
const one = selfSigned(folder, 'one')
const two = selfSigned(folder, 'two')

function settings({ certFile, keyFile } = one): Record<string, string> {
  return { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, DEMO_ACCOUNTS: 'on' }
}

async function get(url: string, ca: Buffer): Promise<IncomingMessage> {
  const asked = request(url, { ca, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return response.resume()
}

/** The name in the certificate that is shown to whoever connects now. */
async function shownName(address: string, options = {}): Promise<string> {
  const { hostname, port } = new URL(address)
  const socket: TLSSocket = connect({
    host: hostname,
    port: Number(port),
    rejectUnauthorized: false,
    ...options,
  })
  try {
    await once(socket, 'secureConnect')
    return String(socket.getPeerCertificate().subject.CN)
  } finally {
    socket.destroy()
  }
}

await t.test('serves https and wss, and has browsers insist on it', async (t) => {
  const relay = await useRelay(t, settings())
  t.match(relay.address, /^https:/)
  const ca = readFileSync(one.certFile)
  const response = await get(`${relay.address}/healthz`, ca)
  t.equal(response.statusCode, 200)
  t.equal(response.headers['strict-transport-security'], 'max-age=15552000')
  const webSocket = new WebSocket(relay.url, ['v12.stomp'], { ca })
  t.teardown(() => webSocket.terminate())
  await once(webSocket, 'open')
  webSocket.send('CONNECT\naccept-version:1.2\nlogin:alice\npasscode:alice\n\n\0')
  const [data] = (await once(webSocket, 'message')) as [Buffer]
  t.match(data.toString(), /^CONNECTED\n/)
})

await t.test('speaks TLS 1.2 at least', async (t) => {
  const relay = await useRelay(t, settings())
  const only = (version: string) => ({
    minVersion: version,
    maxVersion: version,
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  await t.rejects(shownName(relay.address, only('TLSv1.1')), /alert|version/i)
  for (const version of ['TLSv1.2', 'TLSv1.3']) t.equal(await shownName(relay.address, only(version)), 'one')
})

await t.test('stops though somebody is connected who has said nothing, or not a word of TLS', async (t) => {
  const relay = await useRelay(t, settings())
  const { port } = new URL(relay.address)
  const plain = connectTcp(Number(port), '127.0.0.1')
  await once(plain, 'connect')
  const secure = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  for (const socket of [plain, secure]) socket.on('error', () => undefined)
  const gone = Promise.all([once(plain.resume(), 'close'), once(secure.resume(), 'close')])
  await relay.close()
  await gone
})

await t.test(
  'reads the files again when told to, and keeps what it has where they are of no use',
  async (t) => {
    const files = { certFile: join(folder, 'used.pem'), keyFile: join(folder, 'used.key') }
    const use = (from: typeof one): void => {
      copyFileSync(from.certFile, files.certFile)
      copyFileSync(from.keyFile, files.keyFile)
    }
    use(one)
    const relay = await useRelay(t, settings(files))
    t.equal(await shownName(relay.address), 'one')
    use(two)
    t.equal(await shownName(relay.address), 'one', 'not before')
    relay.reloadTls()
    t.equal(await shownName(relay.address), 'two')
    copyFileSync(one.keyFile, files.keyFile)
    relay.reloadTls()
    t.equal(await shownName(relay.address), 'two', 'a key of another certificate')
  },
)

await t.test('reads them again at SIGHUP', async (t) => {
  const files = { certFile: join(folder, 'hup.pem'), keyFile: join(folder, 'hup.key') }
  copyFileSync(one.certFile, files.certFile)
  copyFileSync(one.keyFile, files.keyFile)
  const relay = await startProcess(t, settings(files))
  t.equal(await shownName(relay.address), 'one')
  copyFileSync(two.certFile, files.certFile)
  copyFileSync(two.keyFile, files.keyFile)
  relay.child.kill('SIGHUP')
  await relay.logged('tls-reloaded')
  await until(async () => (await shownName(relay.address)) === 'two')
  relay.child.kill('SIGTERM')
  t.equal(await relay.exited, 0)
})

await t.test('does not start with files that cannot serve', async (t) => {
  const bad = join(folder, 'bad.pem')
  writeFileSync(bad, 'nothing of the kind')
  for (const [env, message] of [
    [{ TLS_CERT_FILE: one.certFile }, 'TLS_KEY_FILE must be set too, because TLS_CERT_FILE is'],
    [{ TLS_KEY_FILE: one.keyFile }, 'TLS_CERT_FILE must be set too, because TLS_KEY_FILE is'],
    [settings({ ...one, certFile: '/nowhere' }), 'TLS_CERT_FILE must be a file that can be read'],
    [settings({ ...one, keyFile: folder }), 'TLS_KEY_FILE must be a file that can be read'],
    [settings({ ...one, keyFile: two.keyFile }), /^TLS_KEY_FILE must be the private key, /],
    [settings({ ...one, certFile: bad }), /^TLS_KEY_FILE must be the private key, /],
    [settings({ ...one, keyFile: bad }), /^TLS_KEY_FILE must be the private key, /],
  ] as const) {
    t.throws(() => readConfig(env), { message })
  }
})

await t.test('has no demo accounts by itself where it serves TLS', async (t) => {
  t.equal(readConfig({ ...settings(), DEMO_ACCOUNTS: '' }).demoAccounts, false)
})
