import { SINCE_1_1, type ConformanceCase } from '../conformance-case.ts'
import { expect, expectSame } from '../deviation.ts'
import type { Trial } from '../trial.ts'

/** A frame that a server must refuse on a fresh connection. */
async function refuses(trial: Trial, command: string, headers: readonly string[]): Promise<void> {
  const peer = await trial.connect()
  peer.send(command, [...headers, 'receipt', 'r'], command === 'SEND' ? 'x' : undefined)
  await trial.refusal(peer, { receipt: 'r' })
}

const IN_TX = ['transaction', 'tx'] as const

/** BEGIN, COMMIT, ABORT. */
export const transactions: readonly ConformanceCase[] = [
  {
    id: 'tx-commit',
    title: 'delivers what a transaction sent at COMMIT, in its order, and nothing before',
    clause: 'STOMP 1.2, BEGIN, COMMIT',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      await trial.subscribe(peer, 'a', topic)
      await trial.ask(peer, 'BEGIN', IN_TX)
      for (const body of ['one', 'two']) peer.send('SEND', ['destination', topic, ...IN_TX], body)
      await trial.publish(peer, topic, 'outside')
      expectSame('first', (await peer.message()).body.toString(), 'outside')
      await trial.ask(peer, 'COMMIT', IN_TX)
      for (const body of ['one', 'two']) expectSame('then', (await peer.message()).body.toString(), body)
    },
  },
  {
    id: 'tx-abort',
    title: 'delivers nothing that an aborted transaction sent',
    clause: 'STOMP 1.2, ABORT',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      await trial.subscribe(peer, 'a', topic)
      await trial.ask(peer, 'BEGIN', IN_TX)
      peer.send('SEND', ['destination', topic, ...IN_TX], 'never')
      await trial.ask(peer, 'ABORT', IN_TX)
      await trial.publish(peer, topic, 'after')
      expectSame('first', (await peer.message()).body.toString(), 'after')
    },
  },
  {
    id: 'tx-several',
    title: 'keeps transactions of one connection apart, and lets an id be used again',
    clause: 'STOMP 1.2, BEGIN',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      await trial.subscribe(peer, 'a', topic)
      for (const tx of ['one', 'two']) await trial.ask(peer, 'BEGIN', ['transaction', tx])
      for (const tx of ['one', 'two']) peer.send('SEND', ['destination', topic, 'transaction', tx], tx)
      await trial.ask(peer, 'ABORT', ['transaction', 'one'])
      await trial.ask(peer, 'COMMIT', ['transaction', 'two'])
      expectSame('first', (await peer.message()).body.toString(), 'two')
      await trial.ask(peer, 'BEGIN', ['transaction', 'two'])
      peer.send('SEND', ['destination', topic, 'transaction', 'two'], 'again')
      await trial.ask(peer, 'COMMIT', ['transaction', 'two'])
      expectSame('second', (await peer.message()).body.toString(), 'again')
    },
  },
  {
    id: 'tx-ack',
    title: 'counts an ACK of a transaction at COMMIT',
    clause: 'STOMP 1.2, ACK',
    needs: ['queue'],
    run: async (trial) => acknowledgesWithin(trial, 'COMMIT', []),
  },
  {
    id: 'tx-ack-abort',
    title: 'counts no ACK of an aborted transaction',
    clause: 'STOMP 1.2, ACK, ABORT',
    needs: ['queue'],
    run: async (trial) => acknowledgesWithin(trial, 'ABORT', ['one']),
  },
  {
    id: 'tx-disconnect',
    title: 'aborts at DISCONNECT what was not committed',
    clause: 'STOMP 1.2, BEGIN',
    needs: ['topic'],
    run: async (trial) => {
      const [peer, reader] = [await trial.connect(), await trial.connect()]
      const topic = trial.topic()
      await trial.subscribe(reader, 'a', topic)
      await trial.ask(peer, 'BEGIN', IN_TX)
      peer.send('SEND', ['destination', topic, ...IN_TX], 'never')
      await trial.leave(peer)
      await trial.publish(reader, topic, 'after')
      expectSame('first', (await reader.message()).body.toString(), 'after')
    },
  },
  {
    id: 'tx-receipt',
    title: 'gives the RECEIPT of a SEND in a transaction when that is committed, not before',
    clause: 'STOMP 1.2, RECEIPT; RabbitMQ, STOMP guide, Receipts',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      await trial.ask(peer, 'BEGIN', IN_TX)
      peer.send('SEND', ['destination', topic, ...IN_TX, 'receipt', 'r'], 'x')
      await trial.publish(peer, topic, 'outside')
      expect(!peer.inbox.some(({ command }) => command === 'RECEIPT'), 'RECEIPT before COMMIT')
      await trial.ask(peer, 'COMMIT', IN_TX)
      await peer.receipt('r')
    },
  },
  {
    id: 'tx-commit-fails',
    title: 'gives no RECEIPT for a COMMIT that it cannot carry out',
    clause: 'STOMP 1.2, COMMIT; RECEIPT',
    needs: ['exchange'],
    run: async (trial) => {
      const peer = await trial.connect()
      await trial.ask(peer, 'BEGIN', ['transaction', 't'])
      peer.send('SEND', ['destination', `/exchange/${trial.name()}/key`, 'transaction', 't'], 'x')
      peer.send('COMMIT', ['transaction', 't', 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'tx-no-id',
    title: 'refuses a BEGIN without transaction',
    clause: 'STOMP 1.2, BEGIN',
    needs: ['topic'],
    run: async (trial) => refuses(trial, 'BEGIN', []),
  },
  {
    id: 'tx-begun',
    title: 'refuses to begin a transaction that is open',
    clause: 'STOMP 1.2, BEGIN: identifiers are unique',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      await trial.ask(peer, 'BEGIN', IN_TX)
      peer.send('BEGIN', [...IN_TX, 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'tx-unknown-commit',
    title: 'refuses to commit a transaction that was not begun',
    clause: 'STOMP 1.2, COMMIT',
    needs: ['topic'],
    run: async (trial) => refuses(trial, 'COMMIT', IN_TX),
  },
  {
    id: 'tx-unknown-abort',
    title: 'refuses to abort a transaction that was not begun',
    clause: 'STOMP 1.2, ABORT',
    needs: ['topic'],
    run: async (trial) => refuses(trial, 'ABORT', IN_TX),
  },
  {
    id: 'tx-unknown-send',
    title: 'refuses a SEND in a transaction that was not begun',
    clause: 'STOMP 1.2, SEND',
    needs: ['topic'],
    run: async (trial) => refuses(trial, 'SEND', ['destination', trial.topic(), ...IN_TX]),
  },
  {
    id: 'tx-nack',
    title: 'counts a NACK of a transaction at COMMIT',
    clause: 'STOMP 1.2, NACK',
    versions: SINCE_1_1,
    needs: ['nack-requeue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      await trial.subscribe(peer, 'q', queue, ['ack', 'client-individual'])
      await trial.publish(peer, queue, 'one')
      const message = await peer.message('q')
      await trial.ask(peer, 'BEGIN', IN_TX)
      peer.send('NACK', [...trial.ackHeaders(message), ...IN_TX])
      await trial.publish(peer, queue, 'two')
      expectSame('before COMMIT', (await peer.message('q')).body.toString(), 'two')
      await trial.ask(peer, 'COMMIT', IN_TX)
      expectSame('after COMMIT', (await peer.message('q')).body.toString(), 'one')
    },
  },
]

async function acknowledgesWithin(
  trial: Trial,
  end: 'COMMIT' | 'ABORT',
  left: readonly string[],
): Promise<void> {
  const [peer, later] = [await trial.connect(), await trial.connect()]
  const queue = trial.queue()
  await trial.subscribe(peer, 'q', queue, ['ack', 'client'])
  await trial.publish(peer, queue, 'one')
  const message = await peer.message('q')
  await trial.ask(peer, 'BEGIN', IN_TX)
  peer.send('ACK', [...trial.ackHeaders(message), ...IN_TX])
  await trial.ask(peer, end, IN_TX)
  await trial.leave(peer)
  await trial.publish(later, queue, 'end')
  await trial.subscribe(later, 'q', queue)
  for (const body of [...left, 'end']) expectSame('left', (await later.message()).body.toString(), body)
}
