import { randomUUID } from 'node:crypto'
import { header, type HeaderList } from '../../../protocol/frame.ts'
import type {
  Address,
  Broker,
  BrokerMessage,
  BrokerReceiver,
  BrokerSession,
  BrokerSessionSink,
  Delivery,
  SessionMessage,
} from '../../../src/broker/broker.ts'
import { Inbox } from '../../support/inbox.ts'

export interface ContractTest {
  teardown(fn: () => unknown): void
}

/** Not started yet; ended by the test's teardown. `secondNode` is another node on the same broker. */
export interface MadeBroker extends NamedBroker {
  readonly secondNode?: () => Promise<NamedBroker>
}

interface NamedBroker {
  readonly broker: Broker
  readonly nodeId: string
}

export type MakeBroker = (t: ContractTest) => Promise<MadeBroker>

export interface Node extends NamedBroker {
  readonly deliveries: Inbox<Delivery>
}

export interface Scene extends Node {
  readonly secondNode?: () => Promise<Node>
  /** A name that no other test uses. */
  readonly name: (prefix: string) => string
}

export async function openScene(t: ContractTest, makeBroker: MakeBroker): Promise<Scene> {
  const { secondNode, ...made } = await makeBroker(t)
  const first = await startNode(t, made)
  const run = randomUUID()
  const scene = { ...first, name: (prefix: string) => `${prefix}-${run}` }
  if (secondNode === undefined) return scene
  return { ...scene, secondNode: async () => startNode(t, await secondNode()) }
}

async function startNode(t: ContractTest, { broker, nodeId }: NamedBroker): Promise<Node> {
  t.teardown(async () => broker.close())
  const deliveries = new Inbox<Delivery>()
  const receiver: BrokerReceiver = { onMessage: deliveries.push, onHole: () => {} }
  await broker.start(receiver)
  await untilUp(broker)
  return { broker, nodeId, deliveries }
}

async function untilUp(broker: Broker): Promise<void> {
  if (broker.status().isUp) return
  await new Promise<void>((resolve) => {
    const remove = broker.onStatus(({ isUp }) => {
      if (!isUp) return
      remove()
      resolve()
    })
  })
}

export function message(address: Address, body: string, rest: Partial<BrokerMessage> = {}): BrokerMessage {
  return { address, headers: [], body: Buffer.from(body), persistent: false, ...rest }
}

export const text = ({ body }: { readonly body: Uint8Array }): string => Buffer.from(body).toString()

export const texts = (items: readonly { readonly body: Uint8Array }[]): string[] => items.map(text)

/** One client's broker session, with everything its sink was told. */
export class Client {
  readonly session: BrokerSession
  readonly messages: Inbox<SessionMessage>
  readonly ends: Inbox<Error>

  constructor(session: BrokerSession, messages: Inbox<SessionMessage>, ends: Inbox<Error>) {
    this.session = session
    this.messages = messages
    this.ends = ends
  }

  /** Subscribes under `id` (by default the destination) and returns once messages will arrive. */
  async subscribe(
    destination: string,
    options: { id?: string; ack?: 'auto' | 'client' | 'client-individual'; headers?: HeaderList } = {},
  ): Promise<void> {
    await this.session.subscribe({ id: destination, destination, ack: 'auto', headers: [], ...options })
  }

  async send(
    destination: string,
    body: string,
    options: { headers?: HeaderList; transaction?: string; confirm?: boolean } = {},
  ): Promise<void> {
    const { confirm = true, ...rest } = options
    await this.session.send({ destination, headers: [], body: Buffer.from(body), ...rest }, { confirm })
  }

  async ack(index: number, transaction?: string): Promise<void> {
    const { ackId } = await this.messages.at(index)
    await this.session.ack(ackId!, transaction === undefined ? {} : { transaction })
  }

  async nack(index: number, requeue: boolean): Promise<void> {
    const { ackId } = await this.messages.at(index)
    await this.session.nack(ackId!, { requeue })
  }
}

export async function openClient(t: ContractTest, broker: Broker, name = 'ann'): Promise<Client> {
  const messages = new Inbox<SessionMessage>()
  const ends = new Inbox<Error>()
  const sink: BrokerSessionSink = { onMessage: messages.push, onCancelled: () => {}, onEnd: ends.push }
  const session = await broker.openSession({ name }, sink)
  t.teardown(async () => session.close())
  return new Client(session, messages, ends)
}

export const isRedelivered = ({ headers }: { readonly headers: HeaderList }): boolean =>
  header(headers, 'redelivered') === 'true'
