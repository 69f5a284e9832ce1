import { DEMO_ACCOUNTS } from './auth/accounts.ts'
import { EXIT_CONFIG, readConfig, type Config } from './config/config.ts'
import { startRelay, type Relay } from './relay.ts'
import { NodeError } from './errors.ts'
import { createLog, type Log } from './telemetry/log.ts'

/** The process: configuration, relay, signals. The only place that ends it. */
async function main(): Promise<void> {
  const config = configured()
  const log = createLog({ level: config.logLevel, nodeId: config.nodeId })
  const relay = await started(config, log)
  log.info(
    { event: 'listening', address: relay.address, broker: relay.broker, database: relay.database },
    'listening',
  )
  if (!config.isProduction) process.stderr.write(banner(config, relay))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop(relay, log, signal))
  }
}

function configured(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    return exit(error, EXIT_CONFIG)
  }
}

async function started(config: Config, log: Log): Promise<Relay> {
  try {
    return await startRelay(config, log)
  } catch (error) {
    log.fatal({ event: 'start-failed', err: error }, 'cannot start')
    return exit(error, 1)
  }
}

async function stop(relay: Relay, log: Log, signal: string): Promise<void> {
  log.info({ event: 'stopping', signal }, 'stopping')
  try {
    await relay.close()
    log.info({ event: 'stopped' }, 'stopped')
    process.exit(0)
  } catch (error) {
    log.error({ event: 'stop-failed', err: error }, 'not everything could be closed')
    process.exit(1)
  }
}

/** What a person who has just typed `npm start` wants to know. */
function banner(config: Config, relay: Relay): string {
  const webSocket = `${relay.address.replace('http', 'ws')}${config.endpoints[0] ?? ''}`
  const accounts = DEMO_ACCOUNTS.map(({ name, roles }) => `${name}/${name} (${roles.join(', ')})`).join('  ')
  return [
    '',
    `  stomp-relay serves ${relay.address}`,
    `  STOMP over WebSocket  ${webSocket}`,
    `  broker                ${relay.broker}`,
    `  database              ${relay.database}`,
    ...(config.demoAccounts ? [`  demo accounts         ${accounts}`] : []),
    '',
    '',
  ].join('\n')
}

function exit(error: unknown, code: number): never {
  process.stderr.write(error instanceof NodeError ? `stomp-relay: ${error.message}\n` : `${String(error)}\n`)
  process.exit(code)
}

await main()
