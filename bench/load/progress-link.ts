import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tcpPort } from './tcp-port.ts'

const HOST = '127.0.0.1'

/**
 * The subscriber's end: tells the publisher up to which message everything has arrived in this
 * process. At most one write of 4 bytes a turn of the event loop, however many messages completed.
 */
export class ProgressReporter {
  readonly #socket: Socket
  #completed = 0
  #isScheduled = false

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async connect(port: number): Promise<ProgressReporter> {
    const socket = connect({ host: HOST, port, noDelay: true })
    await once(socket, 'connect')
    socket.on('error', () => socket.destroy())
    return new ProgressReporter(socket)
  }

  report(completed: number): void {
    this.#completed = completed
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      const bytes = Buffer.allocUnsafe(4)
      bytes.writeUInt32LE(this.#completed)
      this.#socket.write(bytes)
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** The publisher's end: the least that any reporter has completed. */
export class ProgressListener {
  readonly #server: Server
  readonly #reporters: number
  readonly #completed: number[] = []
  readonly #onProgress: (completed: number) => void

  private constructor(server: Server, reporters: number, onProgress: (completed: number) => void) {
    this.#server = server
    this.#reporters = reporters
    this.#onProgress = onProgress
    server.on('connection', (socket) => this.#accept(socket))
  }

  static async listen(reporters: number, onProgress: (completed: number) => void): Promise<ProgressListener> {
    const server = createServer({ noDelay: true })
    const listener = new ProgressListener(server, reporters, onProgress)
    server.listen(0, HOST)
    await once(server, 'listening')
    return listener
  }

  get port(): number {
    return tcpPort(this.#server)
  }

  close(): void {
    this.#server.close()
  }

  #accept(socket: Socket): void {
    const index = this.#completed.push(0) - 1
    let rest = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const whole = bytes.length - (bytes.length % 4)
      rest = Buffer.from(bytes.subarray(whole))
      if (whole === 0) return
      this.#completed[index] = bytes.readUInt32LE(whole - 4)
      if (this.#completed.length === this.#reporters) this.#onProgress(Math.min(...this.#completed))
    })
  }
}
