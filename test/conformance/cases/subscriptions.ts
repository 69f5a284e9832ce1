import { SINCE_1_1, type ConformanceCase } from '../conformance-case.ts'
import { expect, expectSame } from '../deviation.ts'
import { rawHeader } from '../wire.ts'

/** SUBSCRIBE and UNSUBSCRIBE. */
export const subscriptions: readonly ConformanceCase[] = [
  {
    id: 'subscribe-receipt',
    title: "delivers everything sent after SUBSCRIBE's RECEIPT",
    clause: 'STOMP 1.2, RECEIPT',
    needs: ['topic'],
    run: async (trial) => {
      const sender = await trial.connect()
      const reader = await trial.connect()
      for (let i = 0; i < 10; i++) {
        const topic = trial.topic()
        await trial.subscribe(reader, `s${i}`, topic)
        sender.send('SEND', ['destination', topic], String(i))
        expectSame('body', (await reader.message(`s${i}`)).body.toString(), String(i))
      }
    },
  },
  {
    id: 'subscribe-several',
    title: 'gives each subscription of a connection its own copy',
    clause: 'STOMP 1.2, SUBSCRIBE id Header',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      for (const id of ['a', 'b']) await trial.subscribe(peer, id, topic)
      peer.send('SEND', ['destination', topic], 'both')
      for (const id of ['a', 'b']) expectSame('body', (await peer.message(id)).body.toString(), 'both')
    },
  },
  {
    id: 'subscribe-everyone',
    title: 'delivers to all subscribers of a topic and to no other',
    clause: 'RabbitMQ, STOMP guide, Topic Destinations',
    needs: ['topic'],
    run: async (trial) => {
      const [one, two, other] = [await trial.connect(), await trial.connect(), await trial.connect()]
      const [topic, elsewhere] = [trial.topic(), trial.topic()]
      await trial.subscribe(one, 'a', topic)
      await trial.subscribe(two, 'a', topic)
      await trial.subscribe(other, 'a', elsewhere)
      await trial.publish(one, topic, 'here')
      await trial.publish(one, elsewhere, 'there')
      for (const peer of [one, two]) expectSame('body', (await peer.message()).body.toString(), 'here')
      expectSame('body', (await other.message()).body.toString(), 'there')
    },
  },
  {
    id: 'subscribe-id-escaped',
    title: 'tells ids apart whatever characters they hold',
    clause: 'STOMP 1.2, SUBSCRIBE id Header; Value Encoding',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      const id = String.raw`a@@b\cc\\ \n`
      await trial.subscribe(peer, id, topic)
      peer.send('SEND', ['destination', topic], 'x')
      expectSame('subscription', rawHeader(await peer.message(), 'subscription'), id)
      await trial.ask(peer, 'UNSUBSCRIBE', ['id', id])
    },
  },
  {
    id: 'subscribe-no-id',
    title: 'refuses a SUBSCRIBE without id',
    clause: 'STOMP 1.2, SUBSCRIBE id Header',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['destination', trial.topic(), 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'subscribe-by-destination',
    title: 'takes a subscription without id, and ends it by its destination',
    clause: 'STOMP 1.0, SUBSCRIBE, UNSUBSCRIBE',
    versions: ['1.0'],
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const [topic, other] = [trial.topic(), trial.topic()]
      for (const destination of [topic, other])
        await trial.ask(peer, 'SUBSCRIBE', ['destination', destination])
      await trial.publish(peer, topic, 'one')
      expectSame('body', (await peer.message()).body.toString(), 'one')
      await trial.ask(peer, 'UNSUBSCRIBE', ['destination', topic])
      await trial.publish(peer, topic, 'two')
      await trial.publish(peer, other, 'three')
      expectSame('body', (await peer.message()).body.toString(), 'three')
    },
  },
  {
    id: 'subscribe-no-destination',
    title: 'refuses a SUBSCRIBE without destination',
    clause: 'STOMP 1.2, SUBSCRIBE',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['id', 'a', 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'subscribe-id-in-use',
    title: 'refuses an id that is in use',
    clause: 'STOMP 1.2, SUBSCRIBE id Header',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      await trial.subscribe(peer, 'a', trial.topic())
      peer.send('SUBSCRIBE', ['id', 'a', 'destination', trial.topic(), 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'subscribe-unknown',
    title: 'refuses a destination of no known kind',
    clause: 'STOMP 1.2, SUBSCRIBE; RabbitMQ, STOMP guide, Destinations',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['id', 'a', 'destination', '/nowhere/at-all', 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'unsubscribe',
    title: 'delivers nothing to a subscription after UNSUBSCRIBE, and lets its id be used again',
    clause: 'STOMP 1.2, UNSUBSCRIBE',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const [topic, other] = [trial.topic(), trial.topic()]
      await trial.subscribe(peer, 'a', topic)
      await trial.ask(peer, 'UNSUBSCRIBE', ['id', 'a'])
      await trial.publish(peer, topic, 'never')
      await trial.subscribe(peer, 'a', other)
      await trial.publish(peer, topic, 'never')
      await trial.publish(peer, other, 'again')
      expectSame('body', (await peer.message()).body.toString(), 'again')
      expect(peer.take('MESSAGE') === undefined, 'another message')
    },
  },
  {
    id: 'unsubscribe-unknown',
    title: 'refuses to end a subscription that is not there',
    clause: 'STOMP 1.2, UNSUBSCRIBE',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('UNSUBSCRIBE', ['id', 'nothing', 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'topic-slash',
    title: 'takes `%2F` in the name of a topic for a slash, and writes it so in MESSAGE',
    clause: 'RabbitMQ, STOMP guide, Destinations',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = `${trial.topic()}%2Fpart`
      await trial.subscribe(peer, 'a', topic)
      await trial.publish(peer, topic, 'x')
      expectSame('destination', rawHeader(await peer.message(), 'destination'), topic)
    },
  },
  {
    id: 'destination-utf8',
    title: 'says the destination as the sender and the subscriber wrote it, letters beyond ASCII too',
    clause: 'STOMP 1.2, MESSAGE; Value Encoding',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = `${trial.topic()}.größe`
      await trial.subscribe(peer, 'a', topic)
      await trial.publish(peer, topic, 'x')
      expectSame('destination', rawHeader(await peer.message(), 'destination'), topic)
    },
  },
  {
    id: 'topic-long',
    title: 'carries topics longer than the 255 bytes that AMQP can bind',
    clause: 'RabbitMQ, STOMP guide, Topic Destinations; stomp-relay, PROTOCOL.md',
    needs: ['topic', 'wildcards'],
    run: async (trial) => {
      const [sender, reader] = [await trial.connect(), await trial.connect()]
      const topic = trial.topic()
      const long = `${topic}.${'x'.repeat(300)}`
      await trial.subscribe(reader, 'itself', long)
      await trial.subscribe(reader, 'wildcard', `${topic}.*`)
      await trial.publish(sender, long, 'far')
      for (const id of ['itself', 'wildcard']) {
        const message = await reader.message(id)
        expectSame('body', message.body.toString(), 'far')
        expectSame('destination', rawHeader(message, 'destination'), long)
      }
    },
  },
  {
    id: 'wildcard-word',
    title: 'lets `*` stand for one word',
    clause: 'RabbitMQ, STOMP guide, Topic Destinations',
    needs: ['wildcards'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      await trial.subscribe(peer, 'a', `${topic}.*.end`)
      for (const rest of ['.end', '.one.two.end', '.one', '.one.end']) {
        await trial.publish(peer, `${topic}${rest}`, rest)
      }
      expectSame('body', (await peer.message()).body.toString(), '.one.end')
    },
  },
  {
    id: 'wildcard-words',
    title: 'lets `#` stand for any number of words, none too',
    clause: 'RabbitMQ, STOMP guide, Topic Destinations',
    needs: ['wildcards'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      await trial.subscribe(peer, 'a', `${topic}.#`)
      const seen: string[] = []
      for (const rest of ['', 'other', '.one', '.one.two']) {
        await trial.publish(peer, `${topic}${rest}`, rest)
      }
      while (seen.length < 3) seen.push((await peer.message()).body.toString())
      expectSame('bodies', seen, ['', '.one', '.one.two'])
    },
  },
]
