import type { Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { StompClient } from '../support/stomp-client.ts'

/** A client whose faults come at `errors`. */
export async function connect(t: Test, url: string, login: string): Promise<StompClient> {
  const client = await StompClient.connect(t, url, { login })
  await client.subscribe('errors', '/user/queue/errors')
  return client
}

/** @returns `done`, or the code of the refusal */
export async function send(client: StompClient, destination: string, payload: unknown): Promise<string> {
  const receipt = `send-${Math.random().toString(36).slice(2)}`
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  client.send('SEND', ['destination', destination, 'receipt', receipt], body)
  return outcome(client, receipt)
}

/** Likewise; the subscription's id is the destination. */
export async function subscribe(
  client: StompClient,
  destination: string,
  headers: readonly string[] = [],
): Promise<string> {
  const receipt = `sub-${Math.random().toString(36).slice(2)}`
  const all = ['id', destination, 'destination', destination, 'receipt', receipt, ...headers]
  client.send('SUBSCRIBE', all)
  return outcome(client, receipt)
}

async function outcome(client: StompClient, receipt: string): Promise<string> {
  const faultOf = (): string | undefined => {
    for (const { command, headers, body } of client.inbox) {
      if (command === 'RECEIPT' && header(headers, 'receipt-id') === receipt) return 'done'
      if (command !== 'MESSAGE' || header(headers, 'subscription') !== 'errors') continue
      const fault = JSON.parse(Buffer.from(body).toString()) as { code: string; receipt?: string }
      if (fault.receipt === receipt) return fault.code
    }
    return undefined
  }
  await client.until(() => faultOf() !== undefined)
  return faultOf() ?? ''
}

/** Everything received and not taken. */
export const heard = (client: StompClient): string =>
  client.inbox.map(({ body }) => Buffer.from(body).toString()).join('\n')
