import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { Decoder } from '../../protocol/decoder.ts'
import { encodeFrame } from '../../protocol/encoder.ts'
import { SERVER_COMMANDS, type Frame } from '../../protocol/frame.ts'
import { PRE_AUTHENTICATION_BYTES } from '../../src/connection/connection.ts'
import { within } from '../../src/lib/within.ts'
import type { StompScript } from './stomp-script.ts'

/** How long anything may take before it counts as hung, milliseconds. */
const PATIENCE_MS = 60_000

/** How a connection may end (CONTRACT, section 8; RFC 6455, section 7.4.1): never by a cut without a word. */
const LEGAL = new Set([1000, 1001, 1002, 1005, 1007, 1008, 1009, 1011, 4500])

const LIMITS = { frameBytes: 16_777_216, headers: 1000, headerBytes: 1_048_576 }

export interface Place {
  readonly url: string
  readonly address: string
  /** By login. */
  readonly tokens: Readonly<Record<string, string>>
}

/** Plays a script over a WebSocket, then hangs up. @returns what was wrong with how the node took it */
export async function playStomp({ url, tokens }: Place, script: StompScript): Promise<string | undefined> {
  const { login, version, messages } = script
  const webSocket = new WebSocket(url, ['v12.stomp'])
  const frames: Frame[] = []
  let fault: string | undefined
  const decoder = new Decoder({
    limits: LIMITS,
    commands: SERVER_COMMANDS,
    sink: { onFrame: (frame) => frames.push(frame), onHeartBeat: () => undefined },
  })
  decoder.version = version
  webSocket.on('error', () => undefined)
  webSocket.on('message', (data: Buffer) => {
    try {
      decoder.decode(data)
    } catch (error) {
      fault ??= `what it sent is no STOMP: ${String(error)}`
    }
  })
  const closed = once(webSocket, 'close') as Promise<[number, Buffer]>
  const outcome = await Promise.race([once(webSocket, 'open'), closed.then(() => 'refused')])
  if (outcome === 'refused') return 'the upgrade was refused'
  const token = tokens[login]
  if (token !== undefined) {
    const headers = ['accept-version', version, 'Authorization', `Bearer ${token}`]
    webSocket.send(encodeFrame('CONNECT', headers, undefined, '1.2'))
    await Promise.race([once(webSocket, 'message'), closed])
  }
  for (const [i, message] of messages.entries()) {
    webSocket.send(message, { binary: i % 2 === 1 || !isUtf8(message) })
  }
  webSocket.close(1000)
  const [code] = await within(closed, PATIENCE_MS, () => new Error('the connection does not end'))
  const sent = messages.reduce((bytes, { length }) => bytes + length, 0)
  // Hung up on for what came too early, the client may write on, and its system then forgets what was said.
  const isCutOff = code === 1006 && token === undefined && sent > PRE_AUTHENTICATION_BYTES
  return fault ?? (isCutOff ? undefined : endFault(code, frames, login))
}

function endFault(code: number, frames: readonly Frame[], login: string): string | undefined {
  if (!LEGAL.has(code)) return `it closed with ${code}`
  const error = frames.findIndex(({ command }) => command === 'ERROR')
  if (error >= 0 && error !== frames.length - 1) return 'more came after ERROR'
  if (login === 'nobody' && frames.some(({ command }) => command !== 'ERROR'))
    return 'a stranger was answered'
  return undefined
}

const STATUS = /^HTTP\/1\.1 ([1-5]\d\d) /

/** Sends bytes by TCP and reads until the node hangs up. @returns likewise */
export async function playHttp({ address }: Place, bytes: Uint8Array): Promise<string | undefined> {
  const { port, hostname } = new URL(address)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.on('error', () => undefined)
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    answer += text
    // A stream has begun, which would go on.
    if (answer.includes('text/event-stream')) socket.destroy()
  })
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve())
  })
  // What is still expected of an unfinished body never comes.
  socket.end(bytes)
  await within(closed, PATIENCE_MS, () => new Error(`no end of: ${Buffer.from(bytes).toString()}`))
  const status = STATUS.exec(answer)?.[1]
  if (status === undefined) return answer === '' ? undefined : `no HTTP: ${answer.slice(0, 80)}`
  return status === '500' ? `an internal error: ${answer.slice(-200)}` : undefined
}
