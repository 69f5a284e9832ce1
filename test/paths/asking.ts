import { header } from '../../protocol/frame.ts'
import type { Role } from '../../src/auth/principal.ts'
import { StompClient } from '../support/stomp-client.ts'
import { testToken } from '../support/token.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** What is asked. */
export interface Node {
  readonly url: string
  readonly address: string
}

/** Somebody who tries everything, with a session that tells refusals by `/user/queue/errors`. */
export class Asking {
  readonly name: string
  readonly token: string
  readonly client: StompClient
  #count = 0

  private constructor(name: string, token: string, client: StompClient) {
    this.name = name
    this.token = token
    this.client = client
  }

  static async connect(t: Teardown, url: string, name: string, ...roles: Role[]): Promise<Asking> {
    const token = await testToken(name, ...roles)
    const client = await StompClient.open(t, url)
    client.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
    await client.next('CONNECTED')
    await client.subscribe('errors', '/user/queue/errors')
    return new Asking(name, token, client)
  }

  /** @returns `allowed`, or the code of the refusal; the subscription's id is the destination */
  subscribe(destination: string, headers: readonly string[] = []): Promise<string> {
    return this.#ask('SUBSCRIBE', ['id', destination, 'destination', destination, ...headers])
  }

  send(destination: string, body: string, headers: readonly string[] = []): Promise<string> {
    return this.#ask('SEND', ['destination', destination, ...headers], body)
  }

  /** All that came and nobody took, as one text. */
  heard(): string {
    return this.client.inbox
      .map(({ headers, body }) => `${headers.join(' ')} ${Buffer.from(body).toString()}`)
      .join('\n')
  }

  async #ask(command: 'SEND' | 'SUBSCRIBE', headers: readonly string[], body?: string): Promise<string> {
    const receipt = `r-${(this.#count += 1)}`
    this.client.send(command, [...headers, 'receipt', receipt], body)
    let answer: string | undefined
    const find = (): boolean => {
      for (const [i, frame] of this.client.inbox.entries()) {
        answer = answerOf(frame, receipt)
        if (answer === undefined) continue
        this.client.inbox.splice(i, 1)
        return true
      }
      return false
    }
    await this.client.until(find)
    return answer ?? ''
  }
}

function answerOf(frame: StompClient['inbox'][number], receipt: string): string | undefined {
  const { command, headers, body } = frame
  if (command === 'RECEIPT' && header(headers, 'receipt-id') === receipt) {
    return header(headers, 'reason') ?? 'allowed'
  }
  if (header(headers, 'subscription') !== 'errors') return undefined
  const fault = JSON.parse(Buffer.from(body).toString()) as { code: string; receipt?: string }
  // A subscription that stands and cannot be resumed is told of in both ways.
  const isRefusal = fault.receipt === receipt && !NOT_RECOVERED.has(fault.code)
  return isRefusal ? fault.code : undefined
}

const NOT_RECOVERED = new Set(['history-trimmed', 'unknown-epoch', 'malformed', 'not-a-stream'])
