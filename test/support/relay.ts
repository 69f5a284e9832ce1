import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../../src/config/config.ts'
import { startRelay, type Relay } from '../../src/relay.ts'
import { createLog } from '../../src/telemetry/log.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export interface TestRelay extends Relay {
  /** `ws://…/ws` */
  readonly url: string
  /** The file of its database. */
  readonly database: string
}

/** Tests do all from one address as fast as they can, which a user may not, on machines that may be busy. */
export const HASTE = {
  LIMIT_SENDS_PER_SECOND: '1000000',
  LIMIT_SEND_BURST: '1000000',
  LIMIT_HTTP_PER_MINUTE: '1000000',
  LIMIT_LOGINS_PER_MINUTE: '1000000',
  LIMIT_CONNECTING_PER_ADDRESS: '1000000',
  LIMIT_CONNECTIONS_PER_ADDRESS: '1000000',
  LIMIT_LOOP_LAG_MS: '0',
}

/** An empty folder that goes with the test. */
export async function temporaryFolder(t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stomp-relay-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A node in this process, on a free port, with a database of its own and the demo accounts. */
export async function useRelay(t: Teardown, env: Readonly<Record<string, string>> = {}): Promise<TestRelay> {
  const database = env['DATABASE_URL']?.replace('sqlite:', '') ?? join(await temporaryFolder(t), 'relay.db')
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: `sqlite:${database}`,
    DRAIN_MS: '0',
    ...HASTE,
    LOG_LEVEL: 'fatal',
    ...env,
  })
  const relay = await startRelay(config, createLog({ level: config.logLevel, nodeId: config.nodeId }))
  t.teardown(() => relay.close())
  return { ...relay, url: `${relay.address.replace('http', 'ws')}/ws`, database }
}
