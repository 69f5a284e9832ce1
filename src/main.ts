import cluster from 'node:cluster'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { DEMO_ACCOUNTS } from './auth/accounts.ts'
import { EXIT_CONFIG, readConfig, type Config } from './config/config.ts'
import { startRelay, type Relay } from './relay.ts'
import { NodeError } from './errors.ts'
import { createLog, type Log } from './telemetry/log.ts'
import { answerForAllWorkers } from './telemetry/shared-metrics.ts'
import { followFirstProcess, type Serving, Workers } from './workers.ts'

/** The process: configuration, relay, signals. The only place that ends it. */
async function main(): Promise<void> {
  const config = configured()
  const log = createLog({ level: config.logLevel, nodeId: config.nodeId })
  if (config.workers > 1 && cluster.isPrimary) await supervise(config, log)
  else await serve(config, log)
}

async function serve(config: Config, log: Log): Promise<void> {
  const relay = await started(config, log)
  const { address, broker, database } = relay
  log.info({ event: 'listening', address, broker, database }, 'listening')
  const finish = async (): Promise<boolean> => {
    await relay.close()
    return true
  }
  // Without TLS it keeps its meaning: the terminal is gone.
  if (config.tlsCertFile !== undefined) process.on('SIGHUP', () => relay.reloadTls())
  if (cluster.isWorker) {
    followFirstProcess({ address, broker, database })
    stopOn(['SIGTERM'], finish, log)
    return
  }
  showBanner(config, relay)
  stopOn(['SIGINT', 'SIGTERM'], finish, log)
}

/** The first of several processes: it serves nobody itself. */
async function supervise(config: Config, log: Log): Promise<void> {
  const { workers: count, nodeId } = config
  answerForAllWorkers()
  const workers = new Workers({ count, nodeId, program: fileURLToPath(import.meta.url), log })
  stopOn(['SIGINT', 'SIGTERM'], async () => workers.stop(), log)
  if (config.tlsCertFile !== undefined) process.on('SIGHUP', () => workers.signal('SIGHUP'))
  try {
    const { address, broker, database } = await workers.start()
    log.info({ event: 'listening', address, broker, database, workers: count }, 'listening')
    showBanner(config, { address, broker, database })
  } catch (error) {
    log.fatal({ event: 'start-failed', err: error }, 'cannot start')
    exit(error, 1)
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

/** Ends the process when it is told to, once `finish` is done: well if that says so. */
function stopOn(signals: readonly NodeJS.Signals[], finish: () => Promise<boolean>, log: Log): void {
  let isStopping = false
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) return
    isStopping = true
    log.info({ event: 'stopping', signal }, 'stopping')
    try {
      const isFine = await finish()
      log.info({ event: 'stopped' }, 'stopped')
      process.exit(isFine ? 0 : 1)
    } catch (error) {
      log.error({ event: 'stop-failed', err: error }, 'not everything could be closed')
      process.exit(1)
    }
  }
  for (const signal of signals) process.once(signal, () => void stop(signal))
}

function showBanner(config: Config, where: Omit<Serving, 'stompRelay'>): void {
  if (!config.isProduction) process.stderr.write(banner(config, where))
}

/** What a person who has just typed `npm start` wants to know. */
function banner(config: Config, relay: Omit<Serving, 'stompRelay'>): string {
  const webSocket = `${relay.address.replace('http', 'ws')}${config.endpoints[0] ?? ''}`
  const accounts = DEMO_ACCOUNTS.map(({ name, roles }) => `${name}/${name} (${roles.join(', ')})`).join('  ')
  return [
    '',
    `  stomp-relay serves ${relay.address}`,
    `  STOMP over WebSocket  ${webSocket}`,
    `  broker                ${relay.broker}`,
    `  database              ${relay.database}`,
    ...(config.workers > 1 ? [`  workers               ${config.workers}`] : []),
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
