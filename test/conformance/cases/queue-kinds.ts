import type { ConformanceCase } from '../conformance-case.ts'
import { expectSame } from '../deviation.ts'
import { rawHeader } from '../wire.ts'

const AUTO_DELETE = ['auto-delete', 'true'] as const
const STREAM = ['x-queue-type', 'stream', 'ack', 'client', 'prefetch-count', '10'] as const

/** Queues of other kinds, and queues that do not stay. */
export const queueKinds: readonly ConformanceCase[] = [
  {
    id: 'arguments-quorum',
    title: 'makes a quorum queue where `x-queue-type` says so',
    clause: 'RabbitMQ, STOMP guide, Queue Properties',
    needs: ['arguments'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      await trial.subscribe(peer, 'q', queue, ['x-queue-type', 'quorum', 'ack', 'client'])
      await trial.publish(peer, queue, 'x', ['x-queue-type', 'quorum'])
      const message = await peer.message()
      expectSame('body', message.body.toString(), 'x')
      await trial.ack(peer, message)
    },
  },
  {
    id: 'arguments-stream',
    title: 'reads a stream from where `x-stream-offset` says, and again',
    clause: 'RabbitMQ, STOMP guide, Queue Properties; Streams guide',
    needs: ['arguments'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      for (const body of ['one', 'two']) await trial.publish(peer, queue, body, ['x-queue-type', 'stream'])
      for (const [id, from, bodies] of [
        ['all', 'first', ['one', 'two']],
        ['again', 'offset=1', ['two']],
      ] as const) {
        await trial.subscribe(peer, id, queue, [...STREAM, 'x-stream-offset', from])
        for (const body of bodies) {
          const message = await peer.message(id)
          expectSame('body', message.body.toString(), body)
          expectSame('offset', rawHeader(message, 'x-stream-offset'), body === 'one' ? '0' : '1')
          await trial.ack(peer, message)
        }
      }
    },
  },
  {
    id: 'queue-auto-delete-again',
    title: 'lets a client subscribe again to a queue that went with its subscription',
    clause: 'RabbitMQ, STOMP guide, Queue Destinations; `auto-delete`',
    needs: ['arguments', 'queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      for (const id of ['first', 'second']) {
        await trial.subscribe(peer, id, queue, AUTO_DELETE)
        await trial.publish(peer, queue, id, AUTO_DELETE)
        expectSame('body', (await peer.message(id)).body.toString(), id)
        await trial.ask(peer, 'UNSUBSCRIBE', ['id', id])
      }
    },
  },
  {
    id: 'queue-auto-delete-send',
    title: 'keeps what is sent to a queue that went with its subscription',
    clause: 'RabbitMQ, STOMP guide, Queue Destinations; `auto-delete`',
    needs: ['arguments', 'queue'],
    run: async (trial) => {
      const [peer, reader] = [await trial.connect(), await trial.connect()]
      const queue = trial.queue()
      await trial.subscribe(peer, 'q', queue, AUTO_DELETE)
      await trial.ask(peer, 'UNSUBSCRIBE', ['id', 'q'])
      await trial.publish(peer, queue, 'kept', AUTO_DELETE)
      await trial.subscribe(reader, 'q', queue, AUTO_DELETE)
      await trial.publish(reader, queue, 'end', AUTO_DELETE)
      expectSame('first', (await reader.message('q')).body.toString(), 'kept')
    },
  },
]
