import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tcpPort } from './tcp-port.ts'

const HOST = '127.0.0.1'
/** Publisher and sequence number, 4 bytes each. */
const RECORD_BYTES = 8

/**
 * The subscribers' end: tells up to which message of each publisher everything has arrived in this
 * process. At most one write a turn of the event loop, however many messages completed.
 */
export class ProgressReporter {
  readonly #socket: Socket
  readonly #completed = new Map<number, number>()

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async connect(port: number): Promise<ProgressReporter> {
    const socket = connect({ host: HOST, port, noDelay: true })
    await once(socket, 'connect')
    socket.on('error', () => socket.destroy())
    return new ProgressReporter(socket)
  }

  report(publisher: number, completed: number): void {
    if (this.#completed.size === 0) setImmediate(() => this.#write())
    this.#completed.set(publisher, completed)
  }

  close(): void {
    this.#socket.destroy()
  }

  #write(): void {
    const bytes = Buffer.allocUnsafe(this.#completed.size * RECORD_BYTES)
    let at = 0
    for (const [publisher, completed] of this.#completed) {
      bytes.writeUInt32LE(publisher, at)
      bytes.writeUInt32LE(completed, at + 4)
      at += RECORD_BYTES
    }
    this.#completed.clear()
    this.#socket.write(bytes)
  }
}

export interface ProgressSink {
  /** All reporters have got the publisher's messages up to this one. */
  onCompleted(publisher: number, completed: number): void
  /** All that came with one read has been told. */
  onRead(): void
}

interface Counts {
  readonly reporters: number
  readonly publishers: number
}

/** The publishers' end: the least that any reporter has completed. */
export class ProgressListener {
  readonly #server: Server
  readonly #publishers: number
  /** By reporter and publisher. Reporters that have not connected yet have completed nothing. */
  readonly #completed: readonly number[][]
  readonly #sink: ProgressSink
  #accepted = 0

  private constructor(server: Server, { reporters, publishers }: Counts, sink: ProgressSink) {
    this.#server = server
    this.#publishers = publishers
    this.#completed = Array.from({ length: reporters }, () => Array.from({ length: publishers }, () => 0))
    this.#sink = sink
    server.on('connection', (socket) => this.#accept(socket))
  }

  static async listen(counts: Counts, sink: ProgressSink): Promise<ProgressListener> {
    const server = createServer({ noDelay: true })
    const listener = new ProgressListener(server, counts, sink)
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
    const own = this.#completed[this.#accepted++]
    if (own === undefined) {
      socket.destroy()
      return
    }
    let rest = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const whole = bytes.length - (bytes.length % RECORD_BYTES)
      rest = Buffer.from(bytes.subarray(whole))
      for (let at = 0; at < whole; at += RECORD_BYTES) {
        own[bytes.readUInt32LE(at)] = bytes.readUInt32LE(at + 4)
      }
      if (whole > 0) this.#tell()
    })
  }

  #tell(): void {
    for (let publisher = 0; publisher < this.#publishers; publisher++) {
      const least = Math.min(...this.#completed.map((own) => own[publisher]!))
      this.#sink.onCompleted(publisher, least)
    }
    this.#sink.onRead()
  }
}
