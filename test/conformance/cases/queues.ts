import type { ConformanceCase } from '../conformance-case.ts'
import { expect, expectSame } from '../deviation.ts'
import { rawHeader } from '../wire.ts'

/** `/queue`, `/amq/queue` and `/temp-queue` (RabbitMQ's STOMP guide). */
export const queues: readonly ConformanceCase[] = [
  {
    id: 'queue-keeps',
    title: 'keeps what is sent to a queue until somebody subscribes, in its order',
    clause: 'RabbitMQ, STOMP guide, Queue Destinations',
    needs: ['queue'],
    run: async (trial) => {
      const [sender, reader] = [await trial.connect(), await trial.connect()]
      const queue = trial.queue()
      for (const body of ['one', 'two']) await trial.publish(sender, queue, body, ['persistent', 'true'])
      await trial.leave(sender)
      await trial.subscribe(reader, 'q', queue)
      for (const body of ['one', 'two']) {
        const message = await reader.message()
        expectSame('body', message.body.toString(), body)
        expectSame('destination', rawHeader(message, 'destination'), queue)
      }
    },
  },
  {
    id: 'queue-competing',
    title: 'gives each message of a queue to one of its consumers, in turn',
    clause: 'RabbitMQ, STOMP guide, Queue Destinations',
    needs: ['queue'],
    run: async (trial) => {
      const [one, two] = [await trial.connect(), await trial.connect()]
      const queue = trial.queue()
      for (const peer of [one, two]) await trial.subscribe(peer, 'q', queue)
      const sent = Array.from({ length: 10 }, (_, i) => String(i))
      for (const body of sent) await trial.publish(one, queue, body)
      const got = await Promise.all(
        [one, two].map(async (peer) => {
          const bodies: string[] = []
          while (bodies.length < 5) bodies.push((await peer.message()).body.toString())
          return bodies
        }),
      )
      expectSame('all bodies', got.flat().toSorted(), sent)
    },
  },
  {
    id: 'queue-headers',
    title: 'passes on headers and bytes by a queue as by a topic',
    clause: 'STOMP 1.2, SEND; RabbitMQ, STOMP guide, Queue Destinations',
    needs: ['queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      const body = Buffer.from('é\0\n\u{1f600}\0')
      await trial.subscribe(peer, 'q', queue, ['ack', 'client'])
      const headers = ['color', 'größer', 'count', '300', 'content-type', 'text/plain']
      await trial.publish(peer, queue, body, headers)
      const message = await peer.message('q')
      for (let i = 0; i < headers.length; i += 2) {
        expectSame(headers[i] ?? '', rawHeader(message, headers[i] ?? ''), headers[i + 1])
      }
      expectSame('body', message.body.toString('hex'), body.toString('hex'))
    },
  },
  {
    id: 'queue-slash',
    title: 'takes `%2F` in the name of a queue for a slash',
    clause: 'RabbitMQ, STOMP guide, Destinations',
    needs: ['queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = `${trial.queue()}%2Fpart`
      await trial.subscribe(peer, 'q', queue)
      await trial.publish(peer, queue, 'x')
      expectSame('destination', rawHeader(await peer.message(), 'destination'), queue)
    },
  },
  {
    id: 'amq-queue',
    title: 'reads and writes a queue that exists at `/amq/queue`',
    clause: 'RabbitMQ, STOMP guide, AMQ Queue Destinations',
    needs: ['amq-queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const name = trial.name()
      await trial.publish(peer, `/queue/${name}`, 'one')
      await trial.subscribe(peer, 'q', `/amq/queue/${name}`)
      expectSame('body', (await peer.message()).body.toString(), 'one')
      await trial.publish(peer, `/amq/queue/${name}`, 'two')
      expectSame('body', (await peer.message()).body.toString(), 'two')
    },
  },
  {
    id: 'amq-queue-missing',
    title: 'refuses to subscribe to a queue that does not exist, and gives no RECEIPT after the ERROR',
    clause: 'RabbitMQ, STOMP guide, AMQ Queue Destinations; STOMP 1.2, RECEIPT',
    needs: ['amq-queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['id', 'q', 'destination', `/amq/queue/${trial.name()}`, 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'amq-queue-dropped',
    title: 'drops what is sent to a queue that does not exist',
    clause: 'RabbitMQ, STOMP guide, AMQ Queue Destinations',
    needs: ['amq-queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const name = trial.name()
      await trial.publish(peer, `/amq/queue/${name}`, 'dropped')
      await trial.subscribe(peer, 'q', `/queue/${name}`)
      await trial.publish(peer, `/amq/queue/${name}`, 'kept')
      expectSame('first', (await peer.message()).body.toString(), 'kept')
    },
  },
  {
    id: 'temp-queue',
    title: 'carries replies to the temporary queue of whoever asked',
    clause: 'RabbitMQ, STOMP guide, Temp Queue Destinations',
    needs: ['temp-queue', 'queue'],
    run: async (trial) => {
      const [asker, other, server] = [await trial.connect(), await trial.connect(), await trial.connect()]
      const queue = trial.queue()
      await trial.subscribe(server, 'q', queue)
      const replyTo = ['reply-to', '/temp-queue/answers']
      for (const peer of [asker, other, asker]) {
        const body = peer === asker ? 'asker' : 'other'
        await trial.publish(peer, queue, body, replyTo)
        const question = await server.message('q')
        const address = rawHeader(question, 'reply-to') ?? ''
        expect(address.startsWith('/reply-queue/'), `reply-to is "${address}"`)
        await trial.publish(server, address, `to ${question.body.toString()}`)
        const answer = await peer.message('/temp-queue/answers')
        expectSame('answer', answer.body.toString(), `to ${body}`)
      }
    },
  },
  {
    id: 'temp-queue-subscribe',
    title: 'refuses to subscribe to a temporary queue',
    clause: 'RabbitMQ, STOMP guide, Temp Queue Destinations',
    needs: ['temp-queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['id', 'a', 'destination', '/temp-queue/answers', 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
]
