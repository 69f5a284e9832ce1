import type { Duplex } from 'node:stream'
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { BODY_BYTES } from '../load/body.ts'
import { onParent, tellParent } from '../load/ipc.ts'
import { tcpPort } from '../load/tcp-port.ts'
import { serverFrame } from '../load/ws-frame.ts'

/** A group that does not fill up is written after this long. */
const FLUSH_MS = 20

export interface RawWsSetting {
  readonly type: 'setting'
  readonly framesPerWrite: number
  readonly frameBytes: number
}

/**
 * The least a Node process can do to fan out: each message becomes one prepared WebSocket frame, and
 * each group of frames goes to every socket in one write. No STOMP, no broker, no back-pressure.
 */
class RawWsServer {
  readonly #sockets = new Set<Duplex>()
  readonly #group: Buffer[] = []
  #framesPerWrite = 1
  #padding = Buffer.alloc(0)
  #flushTimer: NodeJS.Timeout | undefined

  set(setting: RawWsSetting): void {
    this.#framesPerWrite = setting.framesPerWrite
    this.#padding = Buffer.alloc(Math.max(0, setting.frameBytes - BODY_BYTES), 'x')
  }

  subscribe(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  publish(payload: Buffer): void {
    this.#group.push(
      serverFrame(this.#padding.length === 0 ? payload : Buffer.concat([payload, this.#padding])),
    )
    if (this.#group.length >= this.#framesPerWrite) this.#flush()
    else this.#flushTimer ??= setTimeout(() => this.#flush(), FLUSH_MS)
  }

  #flush(): void {
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    const bytes = this.#group.length === 1 ? this.#group[0]! : Buffer.concat(this.#group)
    this.#group.length = 0
    for (const socket of this.#sockets) socket.write(bytes)
  }
}

const fanOut = new RawWsServer()
const upgrader = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const http = createServer()

http.on('upgrade', (request, socket, head) => {
  upgrader.handleUpgrade(request, socket, head, (client) => {
    client.on('error', () => client.terminate())
    if (request.url === '/publish') client.on('message', (data: Buffer) => fanOut.publish(data))
    else fanOut.subscribe(socket)
  })
})

http.listen(0, '127.0.0.1', 4096, () => {
  tellParent({ type: 'listening', port: tcpPort(http) })
})

onParent<RawWsSetting>(
  (setting) => {
    fanOut.set(setting)
    tellParent({ type: 'set' })
  },
  (reason) => {
    throw new Error(reason)
  },
)
