import type { Test } from 'tap'
import { Value } from 'typebox/value'
import { PAYLOADS } from '../../protocol/payload-versions.ts'
import type { ServiceNode } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'
import { testToken } from '../support/token.ts'

export type Json = Record<string, unknown>

/** Somebody on a node who sees their messages, receipts and errors. */
export async function person(t: Test, node: ServiceNode, name: string): Promise<StompClient> {
  const client = await StompClient.open(t, node.url)
  client.send('CONNECT', [
    'accept-version',
    '1.2',
    'Authorization',
    `Bearer ${await testToken(name, 'user')}`,
  ])
  await client.next('CONNECTED')
  for (const queue of ['messages', 'receipts', 'errors'])
    await client.subscribe(queue, `/user/queue/${queue}`)
  return client
}

/** The next so many of a queue. */
export async function several(client: StompClient, queue: string, count: number): Promise<Json[]> {
  const got: Json[] = []
  while (got.length < count) got.push((await client.message(queue)).payload)
  return got
}

export async function statuses(client: StompClient, count: number): Promise<string> {
  const receipts = await several(client, 'receipts', count)
  return receipts.map(({ status }) => String(status)).join()
}

export function fits(name: string, value: unknown): boolean {
  const payload = PAYLOADS.find((each) => each.name === name)
  return payload !== undefined && Value.Check(payload.schema, value)
}

export const say = (client: StompClient, destination: string, body: object): Promise<unknown> =>
  client.ask('SEND', ['destination', destination], JSON.stringify(body))
