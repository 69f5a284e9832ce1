import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PrivateDatabase } from './private-database.ts'
import { childrenOf, send, untilChildless } from './process-tree.ts'
import type { ServerHome } from './server-home.ts'

const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 60_000
const SHUT_DOWN_TIMEOUT_MS = 20_000
const POLL_MS = 20

/** What differs from one kind of server to the other. */
export interface ServerProgram {
  readonly name: string
  readonly path: string
  readonly args: readonly string[]
  readonly shutDownSignal: NodeJS.Signals
  /** Rejects while the server does not answer. */
  connects(): Promise<void>
}

/** A server that is made of one process and perhaps of children that it has started. */
export class ServerProcess implements PrivateDatabase {
  readonly url: string
  readonly host = HOST
  readonly port: number
  readonly #home: ServerHome
  readonly #program: ServerProgram
  #server: ChildProcess | undefined
  #frozen: readonly number[] = []

  constructor(home: ServerHome, url: string, program: ServerProgram) {
    this.url = url
    this.port = Number(new URL(url).port)
    this.#home = home
    this.#program = program
  }

  get pid(): number | undefined {
    return isRunning(this.#server) ? this.#server.pid : undefined
  }

  async start(): Promise<void> {
    if (isRunning(this.#server)) return
    const log = await open(this.#logFile, 'a')
    const server = spawn(this.#program.path, this.#program.args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: this.#home.dir,
      env: this.#home.env,
      ...this.#home.ids,
    })
    server.once('error', () => undefined)
    server.unref()
    await log.close()
    this.#server = server
    this.#home.watchdog.watch(server)
    await this.#untilReady(server)
  }

  async kill(): Promise<void> {
    const { pid } = this
    if (pid === undefined) return
    // Stopped, it neither starts a child that is then missed nor hears of their end.
    send(pid, 'SIGSTOP')
    for (const child of await childrenOf(pid)) send(child, 'SIGKILL')
    await untilChildless(pid)
    await this.#end('SIGKILL')
  }

  async shutDown(): Promise<void> {
    this.thaw()
    await this.#end(this.#program.shutDownSignal)
  }

  async freeze(): Promise<void> {
    const { pid } = this
    if (pid === undefined) return
    send(pid, 'SIGSTOP')
    this.#frozen = await childrenOf(pid)
    // Those that run end with their parent, those that are stopped would stay for ever.
    this.#home.watchdog.alsoEnd(this.#frozen)
    for (const child of this.#frozen) send(child, 'SIGSTOP')
  }

  thaw(): void {
    const { pid } = this
    if (pid === undefined) return
    for (const child of this.#frozen) send(child, 'SIGCONT')
    this.#forgetFrozen()
    send(pid, 'SIGCONT')
  }

  async stop(): Promise<void> {
    await this.kill()
    await this.#home.watchdog.release()
  }

  get #logFile(): string {
    return join(this.#home.dir, 'server.log')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server
    if (!isRunning(server)) return
    const exited = once(server, 'exit')
    server.ref()
    server.kill(signal)
    const harder = setTimeout(() => server.kill('SIGKILL'), SHUT_DOWN_TIMEOUT_MS)
    await exited
    clearTimeout(harder)
    this.#forgetFrozen()
  }

  #forgetFrozen(): void {
    this.#frozen = []
    this.#home.watchdog.alsoEnd([])
  }

  async #untilReady(server: ChildProcess): Promise<void> {
    const giveUpAt = Date.now() + START_TIMEOUT_MS
    let lastError: unknown
    while (Date.now() < giveUpAt && isRunning(server)) {
      try {
        return await this.#program.connects()
      } catch (error) {
        lastError = error
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    }
    const log = await readFile(this.#logFile, 'utf8').catch(() => 'no log was written')
    const lastLines = log.split('\n').slice(-12).join('\n')
    throw new Error(`${this.#program.name} did not start: ${lastLines}`, { cause: lastError })
  }
}

/** Sets a server up and starts it for the first time; where that fails nothing is left. */
export async function startServer(
  home: ServerHome,
  setUp: (home: ServerHome) => Promise<ServerProcess>,
): Promise<PrivateDatabase> {
  try {
    const server = await setUp(home)
    await server.start()
    return server
  } catch (error) {
    await home.watchdog.release()
    throw error
  }
}

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
}
