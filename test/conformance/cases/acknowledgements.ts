import { SINCE_1_1, type ConformanceCase } from '../conformance-case.ts'
import { expect, expectSame } from '../deviation.ts'
import type { Peer } from '../peer.ts'
import type { Trial } from '../trial.ts'
import { rawHeader, type WireFrame } from '../wire.ts'

interface Supply {
  readonly reader: Peer
  readonly queue: string
  readonly messages: readonly WireFrame[]
}

/** A reader of a queue, which has been given these messages. */
async function supply(trial: Trial, ack: string, bodies: readonly string[]): Promise<Supply> {
  const reader = await trial.connect()
  const queue = trial.queue()
  await trial.subscribe(reader, 'q', queue, ['ack', ack])
  for (const body of bodies) await trial.publish(reader, queue, body)
  const messages: WireFrame[] = []
  for (const body of bodies) {
    messages.push(await reader.message('q'))
    expectSame('body', messages.at(-1)?.body.toString(), body)
  }
  return { reader, queue, messages }
}

/** What is left in the queue once the reader has gone: everything up to a message sent after that. */
async function leftIn(trial: Trial, { reader, queue }: Supply): Promise<string[]> {
  await trial.leave(reader)
  return drain(trial, queue)
}

async function drain(trial: Trial, queue: string): Promise<string[]> {
  const peer = await trial.connect()
  await trial.publish(peer, queue, 'end')
  await trial.subscribe(peer, 'rest', queue)
  const seen: string[] = []
  for (;;) {
    const body = (await peer.message('rest')).body.toString()
    if (body === 'end') return seen
    seen.push(body)
  }
}

/** ACK and NACK, redelivery, prefetch-count. */
export const acknowledgements: readonly ConformanceCase[] = [
  {
    id: 'ack-auto',
    title: 'gives nothing again that went to an `auto` subscription',
    clause: 'STOMP 1.2, SUBSCRIBE ack Header',
    needs: ['queue'],
    run: async (trial) => {
      expectSame('left', await leftIn(trial, await supply(trial, 'auto', ['one', 'two'])), [])
    },
  },
  {
    id: 'ack-client',
    title: 'counts an ACK for all earlier messages of a `client` subscription',
    clause: 'STOMP 1.2, SUBSCRIBE ack Header',
    needs: ['queue'],
    run: async (trial) => {
      const all = await supply(trial, 'client', ['one', 'two', 'three'])
      await trial.ack(all.reader, all.messages[1]!)
      expectSame('left', await leftIn(trial, all), ['three'])
    },
  },
  {
    id: 'ack-client-individual',
    title: 'counts an ACK for its one message of a `client-individual` subscription',
    clause: 'STOMP 1.2, SUBSCRIBE ack Header',
    versions: SINCE_1_1,
    needs: ['queue'],
    run: async (trial) => {
      const all = await supply(trial, 'client-individual', ['one', 'two', 'three'])
      await trial.ack(all.reader, all.messages[1]!)
      expectSame('left', await leftIn(trial, all), ['one', 'three'])
    },
  },
  {
    id: 'ack-own-subscription',
    title: 'counts an ACK for no message of another subscription',
    clause: 'STOMP 1.2, SUBSCRIBE ack Header',
    needs: ['queue'],
    run: async (trial) => {
      const other = await supply(trial, 'client', ['one'])
      const queue = trial.queue()
      await trial.subscribe(other.reader, 'p', queue, ['ack', 'client'])
      await trial.publish(other.reader, queue, 'two')
      await trial.ack(other.reader, await other.reader.message('p'))
      expectSame('left', await leftIn(trial, other), ['one'])
    },
  },
  {
    id: 'ack-header',
    title: 'gives MESSAGE an ack header where it wants an ACK, and only there',
    clause: 'STOMP 1.2, MESSAGE',
    versions: ['1.2'],
    needs: ['queue'],
    run: async (trial) => {
      for (const [mode, isWanted] of [
        ['auto', false],
        ['client', true],
        ['client-individual', true],
      ] as const) {
        const { messages } = await supply(trial, mode, ['one'])
        expectSame(`ack header in ${mode}`, rawHeader(messages[0]!, 'ack') !== undefined, isWanted)
      }
    },
  },
  {
    id: 'ack-mode-unknown',
    title: 'refuses an ack mode that there is not',
    clause: 'STOMP 1.2, SUBSCRIBE ack Header',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['id', 'a', 'destination', trial.topic(), 'ack', 'later', 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'ack-missing-id',
    title: 'refuses an ACK that names no message',
    clause: 'STOMP 1.2, ACK',
    needs: ['queue'],
    run: async (trial) => {
      const { reader } = await supply(trial, 'client', ['one'])
      reader.send('ACK', ['receipt', 'r'])
      await trial.refusal(reader, { receipt: 'r' })
    },
  },
  {
    id: 'ack-unknown',
    title: 'refuses an ACK of a message that there is not',
    clause: 'STOMP 1.2, ACK',
    needs: ['queue'],
    run: async (trial) => {
      const { reader } = await supply(trial, 'client', ['one'])
      const name = trial.version === '1.2' ? 'id' : 'message-id'
      reader.send('ACK', ['subscription', 'q', name, 'nothing', 'receipt', 'r'])
      await trial.refusal(reader, { receipt: 'r' })
    },
  },
  {
    id: 'ack-twice',
    title: 'refuses a second ACK of a message',
    clause: 'STOMP 1.2, ACK',
    needs: ['queue'],
    run: async (trial) => {
      const { reader, messages } = await supply(trial, 'client', ['one'])
      await trial.ack(reader, messages[0]!)
      reader.send('ACK', [...trial.ackHeaders(messages[0]!), 'receipt', 'r'])
      await trial.refusal(reader, { receipt: 'r' })
    },
  },
  {
    id: 'ack-late',
    title: 'refuses an ACK of a message whose subscription has ended',
    clause: 'STOMP 1.2, ACK; RabbitMQ, STOMP guide',
    needs: ['queue'],
    run: async (trial) => {
      const { reader, messages } = await supply(trial, 'client', ['one'])
      await trial.ask(reader, 'UNSUBSCRIBE', ['id', 'q'])
      reader.send('ACK', [...trial.ackHeaders(messages[0]!), 'receipt', 'r'])
      await trial.refusal(reader, { receipt: 'r' })
    },
  },
  {
    id: 'ack-id-odd',
    title: 'takes ACKs for a subscription whatever characters its id holds',
    clause: 'STOMP 1.2, SUBSCRIBE id Header; ACK',
    versions: SINCE_1_1,
    needs: ['queue'],
    run: async (trial) => {
      const reader = await trial.connect()
      const queue = trial.queue()
      const id = String.raw`a@@b\cc\nd`
      await trial.subscribe(reader, id, queue, ['ack', 'client-individual'])
      await trial.publish(reader, queue, 'one')
      const message = await reader.message(id)
      await trial.ack(reader, message)
      expectSame('left', await leftIn(trial, { reader, queue, messages: [message] }), [])
    },
  },
  {
    id: 'nack-1.0',
    title: 'knows no NACK in 1.0',
    clause: 'STOMP 1.1, NACK (new in 1.1)',
    versions: ['1.0'],
    needs: ['queue'],
    run: async (trial) => {
      const { reader, messages } = await supply(trial, 'client', ['one'])
      reader.send('NACK', [...trial.ackHeaders(messages[0]!), 'receipt', 'r'])
      await trial.refusal(reader, { receipt: 'r' })
    },
  },
  {
    id: 'nack-requeue',
    title: 'gives a message again after NACK, and says so',
    clause: 'RabbitMQ, STOMP guide, ACK and NACK',
    versions: SINCE_1_1,
    needs: ['nack-requeue'],
    run: async (trial) => {
      const { reader, messages } = await supply(trial, 'client-individual', ['one'])
      await trial.nack(reader, messages[0]!)
      const again = await reader.message('q')
      expectSame('body', again.body.toString(), 'one')
      expectSame('redelivered', rawHeader(again, 'redelivered'), 'true')
    },
  },
  {
    id: 'nack-drop',
    title: 'gives no message again after NACK with `requeue:false`',
    clause: 'RabbitMQ, STOMP guide, ACK and NACK',
    versions: SINCE_1_1,
    needs: ['nack-requeue'],
    run: async (trial) => {
      const all = await supply(trial, 'client-individual', ['one', 'two'])
      await trial.nack(all.reader, all.messages[0]!, ['requeue', 'false'])
      expectSame('left', await leftIn(trial, all), ['two'])
    },
  },
  {
    id: 'redelivery-disconnect',
    title: 'gives another client what was not acknowledged at DISCONNECT',
    clause: 'STOMP 1.2, SUBSCRIBE ack Header',
    needs: ['queue'],
    run: async (trial) => {
      const all = await supply(trial, 'client', ['one', 'two'])
      expectSame('left', await leftIn(trial, all), ['one', 'two'])
    },
  },
  {
    id: 'redelivery-lost',
    title: 'gives another client what was not acknowledged when a connection broke, and says so',
    clause: 'STOMP 1.2, SUBSCRIBE ack Header; RabbitMQ, STOMP guide',
    needs: ['queue'],
    run: async (trial) => {
      const { reader, queue } = await supply(trial, 'client', ['one'])
      const second = await trial.connect()
      await trial.subscribe(second, 'q', queue, ['ack', 'client'])
      reader.terminate()
      const again = await second.message('q')
      expectSame('body', again.body.toString(), 'one')
      expectSame('redelivered', rawHeader(again, 'redelivered'), 'true')
    },
  },
  {
    id: 'prefetch',
    title: 'gives a subscription no more unacknowledged messages than `prefetch-count`',
    clause: 'RabbitMQ, STOMP guide, Prefetch',
    needs: ['prefetch'],
    run: async (trial) => {
      const [first, second] = [await trial.connect(), await trial.connect()]
      const queue = trial.queue()
      const mode = ['ack', 'client', 'prefetch-count', '1']
      for (const body of ['one', 'two', 'three']) await trial.publish(first, queue, body)
      await trial.subscribe(first, 'q', queue, mode)
      const one = await first.message('q')
      await trial.subscribe(second, 'q', queue, mode)
      expectSame('second client', (await second.message('q')).body.toString(), 'two')
      expect(first.take('MESSAGE') === undefined, 'more than prefetch-count')
      await trial.ack(first, one)
      expectSame('after ACK', (await first.message('q')).body.toString(), 'three')
    },
  },
  {
    id: 'prefetch-of-one',
    title: "does not bind later subscriptions by an earlier one's `prefetch-count`",
    clause: 'RabbitMQ, STOMP guide, Prefetch: a header of the subscription',
    needs: ['prefetch'],
    run: async (trial) => {
      const peer = await trial.connect()
      const [narrow, wide] = [trial.queue(), trial.queue()]
      await trial.subscribe(peer, 'narrow', narrow, ['ack', 'client', 'prefetch-count', '1'])
      await trial.subscribe(peer, 'wide', wide, ['ack', 'client'])
      const later = await trial.connect()
      for (const body of ['one', 'two']) await trial.publish(peer, wide, body)
      await peer.message('wide')
      await trial.subscribe(later, 'q', wide, ['ack', 'client'])
      // One that waits because of a limit goes to the client that has none.
      const holder = await Promise.race([
        peer.message('wide').then(() => 'first'),
        later.message('q').then(() => 'later'),
      ])
      expectSame('second message at', holder, 'first')
    },
  },
]
