import { SINCE_1_1, type ConformanceCase } from '../conformance-case.ts'
import { expectSame } from '../deviation.ts'
import type { Peer } from '../peer.ts'
import type { Trial } from '../trial.ts'
import { rawHeader } from '../wire.ts'

type Act = (trial: Trial, peer: Peer) => Promise<void>

/** One use of each command with a receipt; what must come before it, first. */
const USES: Readonly<Record<string, Act>> = {
  SEND: async (trial, peer) => trial.publish(peer, trial.topic(), 'x'),
  SUBSCRIBE: async (trial, peer) => trial.subscribe(peer, 'a', trial.topic()),
  UNSUBSCRIBE: async (trial, peer) => {
    await trial.subscribe(peer, 'a', trial.topic())
    await trial.ask(peer, 'UNSUBSCRIBE', ['id', 'a'])
  },
  BEGIN: async (trial, peer) => trial.ask(peer, 'BEGIN', ['transaction', 'tx']),
  COMMIT: async (trial, peer) => {
    peer.send('BEGIN', ['transaction', 'tx'])
    await trial.ask(peer, 'COMMIT', ['transaction', 'tx'])
  },
  ABORT: async (trial, peer) => {
    peer.send('BEGIN', ['transaction', 'tx'])
    await trial.ask(peer, 'ABORT', ['transaction', 'tx'])
  },
  DISCONNECT: async (trial, peer) => trial.ask(peer, 'DISCONNECT', []),
}

const forEachCommand: readonly ConformanceCase[] = Object.entries(USES).map(([command, act]) => ({
  id: `receipt-${command.toLowerCase()}`,
  title: `gives a RECEIPT for ${command}`,
  clause: 'STOMP 1.2, Header receipt',
  needs: ['topic'],
  run: async (trial) => act(trial, await trial.connect()),
}))

const acknowledge =
  (command: 'ack' | 'nack') =>
  async (trial: Trial): Promise<void> => {
    const peer = await trial.connect()
    const queue = trial.queue()
    await trial.subscribe(peer, 'q', queue, ['ack', 'client-individual'])
    await trial.publish(peer, queue, 'x')
    await trial[command](peer, await peer.message())
  }

/** RECEIPT, and what it promises. */
export const receipts: readonly ConformanceCase[] = [
  ...forEachCommand,
  {
    id: 'receipt-ack',
    title: 'gives a RECEIPT for ACK',
    clause: 'STOMP 1.2, Header receipt',
    needs: ['queue'],
    run: acknowledge('ack'),
  },
  {
    id: 'receipt-nack',
    title: 'gives a RECEIPT for NACK',
    clause: 'STOMP 1.2, Header receipt',
    versions: SINCE_1_1,
    needs: ['queue'],
    run: acknowledge('nack'),
  },
  {
    id: 'receipt-escaped',
    title: 'gives the receipt id back as it was, whatever characters it holds',
    clause: 'STOMP 1.2, RECEIPT; Value Encoding',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const id = String.raw`a\cb\\ \nc`
      peer.send('SEND', ['destination', trial.topic(), 'receipt', id], 'x')
      expectSame('receipt-id', rawHeader(await peer.next('RECEIPT'), 'receipt-id'), id)
    },
  },
  {
    id: 'receipt-in-error',
    title: 'says in ERROR which frame it refuses',
    clause: 'STOMP 1.2, ERROR',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['id', 'a', 'destination', '/nowhere/at-all', 'receipt', 'r'])
      const error = await peer.next('ERROR')
      expectSame('receipt-id', rawHeader(error, 'receipt-id'), 'r')
    },
  },
  {
    id: 'disconnect-earlier',
    title: "gives the receipts of earlier frames before DISCONNECT's",
    clause: 'STOMP 1.2, DISCONNECT',
    needs: ['queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      const sent = Array.from({ length: 200 }, (_, i) => `r${i}`)
      for (const receipt of sent) {
        peer.send('SEND', ['destination', queue, 'persistent', 'true', 'receipt', receipt], 'x')
      }
      peer.send('DISCONNECT', ['receipt', 'bye'])
      await peer.until(() => peer.inbox.find((frame) => rawHeader(frame, 'receipt-id') === 'bye'), 'RECEIPT')
      const got = new Set(peer.inbox.map((frame) => rawHeader(frame, 'receipt-id')))
      expectSame(
        'all receipts',
        sent.every((receipt) => got.has(receipt)),
        true,
      )
    },
  },
  {
    id: 'disconnect-closes',
    title: 'closes the connection after DISCONNECT',
    clause: 'STOMP 1.2, DISCONNECT; Connection Lingering',
    needs: [],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('DISCONNECT')
      expectSame('close code', await peer.closed(), 1000)
    },
  },
]
