import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { plainEnvironment } from '../support/plain-environment.ts'
import { useOwnPostgres } from '../support/postgres.ts'

t.setTimeout(120_000)

/** An authority, and a certificate of `localhost`; for a test, so that a day is enough. */
function certificates(t: Test) {
  const dir = t.testdir({ extensions: 'subjectAltName=DNS:localhost' })
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' })
  const key = ['-newkey', 'rsa:2048', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '1', '-subj', '/CN=test')
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1']
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-extfile', 'extensions', '-out', 'server.pem')
  return dir
}

/** Where the server looks for them, belonging to its account. */
async function installCertificate(adminUrl: string, from: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    const data = rows[0]?.data_directory ?? ''
    const { uid, gid } = statSync(data)
    for (const [source, target] of [
      ['server.pem', 'server.crt'],
      ['server.key', 'server.key'],
    ] as const) {
      writeFileSync(join(data, target), readFileSync(join(from, source)), { mode: 0o600 })
      chownSync(join(data, target), uid, gid)
    }
    await client.query('alter system set ssl = on')
    await client.query('select pg_reload_conf()')
  } finally {
    await client.end()
  }
}

async function serve(t: Test, url: string, nodeId: string, authority?: string): Promise<unknown> {
  const child = fork(new URL('serve-store.ts', import.meta.url), [url, nodeId], {
    execArgv: ['--import', 'tsx'],
    env: { ...plainEnvironment(), ...(authority !== undefined && { NODE_EXTRA_CA_CERTS: authority }) },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = (await once(child, 'message')) as unknown[]
  return said
}

await t.test('encrypts where the URL says so, and wants a known authority and the right name', async (t) => {
  const { url, server } = await useOwnPostgres(t)
  const plain = new URL(url)
  plain.hostname = 'localhost'
  const withTls = (mode: string) => `${plain.href}?sslmode=${mode}`
  t.match(await serve(t, withTls('require'), 'early'), { refused: /does not support SSL/ })
  const dir = certificates(t)
  await installCertificate(server.url, dir)
  t.match(await serve(t, withTls('require'), 'a'), { epoch: /./ })
  t.match(await serve(t, withTls('verify-full'), 'b'), { refused: /unable to verify|self-signed/ })
  t.match(await serve(t, withTls('verify-full'), 'c', join(dir, 'ca.pem')), { epoch: /./ })

  const client = new Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  const { rows } = await client.query(
    "select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'stomp-relay'",
  )
  t.ok(rows.length > 0)
  t.ok(rows.every((row: { ssl: boolean }) => row.ssl))
})
