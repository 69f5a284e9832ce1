import { SINCE_1_1, type ConformanceCase } from '../conformance-case.ts'
import { expect, expectSame } from '../deviation.ts'
import type { Peer } from '../peer.ts'
import type { Trial } from '../trial.ts'
import { rawHeader, type WireFrame } from '../wire.ts'

/** Sends one message to a topic and returns it as a subscriber gets it. */
async function roundTrip(
  trial: Trial,
  headers: readonly string[],
  body: string | Uint8Array = 'x',
): Promise<WireFrame> {
  const peer = await trial.connect()
  const topic = trial.topic()
  await trial.subscribe(peer, 'a', topic)
  peer.send('SEND', ['destination', topic, ...headers], body)
  return peer.message('a')
}

async function subscribed(trial: Trial): Promise<{ peer: Peer; topic: string }> {
  const peer = await trial.connect()
  const topic = trial.topic()
  await trial.subscribe(peer, 'a', topic)
  return { peer, topic }
}

/** What a SEND says and a MESSAGE brings. */
export const messages: readonly ConformanceCase[] = [
  {
    id: 'message-headers',
    title: 'says in MESSAGE where it was sent, for which subscription, and under which id',
    clause: 'STOMP 1.2, MESSAGE',
    needs: ['topic'],
    run: async (trial) => {
      const { peer, topic } = await subscribed(trial)
      const ids = new Set<string | undefined>()
      for (const body of ['one', 'two']) {
        peer.send('SEND', ['destination', topic], body)
        const message = await peer.message()
        expectSame('destination', rawHeader(message, 'destination'), topic)
        expectSame('subscription', rawHeader(message, 'subscription'), 'a')
        expectSame('body', message.body.toString(), body)
        ids.add(rawHeader(message, 'message-id'))
      }
      expect(ids.size === 2 && !ids.has(undefined), 'message-id is missing or the same twice')
    },
  },
  {
    id: 'message-own-headers',
    title: 'passes on headers of the application, and content-type',
    clause: 'STOMP 1.2, SEND',
    needs: ['topic'],
    run: async (trial) => {
      const sent = ['content-type', 'text/plain;charset=utf-8', 'colour', 'red', 'x-empty', '']
      const message = await roundTrip(trial, sent)
      for (let i = 0; i < sent.length; i += 2) {
        expectSame(sent[i]!, rawHeader(message, sent[i]!), sent[i + 1])
      }
    },
  },
  {
    id: 'message-utf8',
    title: 'passes on UTF-8 in headers and body',
    clause: 'STOMP 1.2, Value Encoding',
    needs: ['topic'],
    run: async (trial) => {
      const message = await roundTrip(trial, ['größe', 'žluťoučký 🐎'], 'naïve 🐎')
      expectSame('header', rawHeader(message, 'größe'), 'žluťoučký 🐎')
      expectSame('body', message.body.toString(), 'naïve 🐎')
    },
  },
  {
    id: 'message-escapes',
    title: 'reads and writes the escapes of the version, in names and values',
    clause: 'STOMP 1.2, Value Encoding',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      const value = trial.version === '1.2' ? String.raw`\r\n\c\\` : String.raw`\n\c\\`
      const message = await roundTrip(trial, ['one', value, String.raw`na\cme`, 'two'])
      expectSame('value', rawHeader(message, 'one'), value)
      expectSame('name', rawHeader(message, String.raw`na\cme`), 'two')
    },
  },
  {
    id: 'message-no-escapes',
    title: 'knows no escapes in 1.0: backslash and colon are characters',
    clause: 'STOMP 1.0, Frames',
    versions: ['1.0'],
    needs: ['topic'],
    run: async (trial) => {
      const old = await trial.connect()
      const young = await trial.connect([], '1.2')
      const topic = trial.topic()
      await trial.subscribe(old, 'a', topic)
      await trial.subscribe(young, 'b', topic)
      old.send('SEND', ['destination', topic, 'path', String.raw`c:\\n`], 'x')
      expectSame('1.0', rawHeader(await old.message('a'), 'path'), String.raw`c:\\n`)
      expectSame('1.2', rawHeader(await young.message('b'), 'path'), String.raw`c\c\\\\n`)
    },
  },
  {
    id: 'message-across-versions',
    title: "writes a header in each subscriber's own version",
    clause: 'STOMP 1.2, Value Encoding',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      const sender = await trial.connect()
      const topic = trial.topic()
      const wanted = { '1.0': 'a:b', '1.1': String.raw`a\cb`, '1.2': String.raw`a\cb` } as const
      for (const version of ['1.2', '1.1', '1.0'] as const) {
        const reader = await trial.connect([], version)
        await trial.subscribe(reader, 'a', topic)
        await trial.publish(sender, topic, 'x', ['time', String.raw`a\cb`])
        expectSame(`time in ${version}`, rawHeader(await reader.message('a'), 'time'), wanted[version])
      }
    },
  },
  {
    id: 'message-undefined-escape',
    title: 'refuses an escape that the version does not define',
    clause: 'STOMP 1.2, Value Encoding',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SEND', ['destination', trial.topic(), 'path', String.raw`a\tb`], 'x')
      await trial.refusal(peer)
    },
  },
  {
    id: 'message-spaces',
    title: 'leaves spaces around a value where they are',
    clause: 'STOMP 1.2, Value Encoding',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      expectSame('value', rawHeader(await roundTrip(trial, ['padded', '  two  ']), 'padded'), '  two  ')
    },
  },
  {
    id: 'message-leading-spaces',
    title: 'reads `name: value` as 1.0 writes it',
    clause: 'STOMP 1.0, Frames (its examples)',
    versions: ['1.0'],
    needs: ['topic'],
    run: async (trial) => {
      const { peer, topic } = await subscribed(trial)
      peer.send('SEND', ['destination', ` ${topic}`, 'colour', ' red'], 'x')
      expectSame('value', rawHeader(await peer.message('a'), 'colour')?.trim(), 'red')
    },
  },
  {
    id: 'message-carriage-returns',
    title: 'takes CR LF for a line end',
    clause: 'STOMP 1.2, Augmented BNF',
    versions: ['1.2'],
    needs: ['topic'],
    run: async (trial) => {
      const { peer, topic } = await subscribed(trial)
      peer.write(`SEND\r\ndestination:${topic}\r\ncolour:red\r\n\r\nbody\0\r\n`)
      const message = await peer.message('a')
      expectSame('colour', rawHeader(message, 'colour'), 'red')
      expectSame('body', message.body.toString(), 'body')
    },
  },
  {
    id: 'message-repeated-header',
    title: 'goes by the first of repeated headers',
    clause: 'STOMP 1.2, Repeated Header Entries',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      const message = await roundTrip(trial, [
        'destination',
        '/topic/elsewhere',
        'foo',
        'World',
        'foo',
        'Hello',
      ])
      expectSame('foo', rawHeader(message, 'foo'), 'World')
    },
  },
  {
    id: 'message-nul',
    title: 'passes on a body with NULs by its content-length',
    clause: 'STOMP 1.2, Header content-length',
    needs: ['topic'],
    run: async (trial) => {
      const message = await roundTrip(trial, [], 'a\0b\0')
      expectSame('body', message.body.toString(), 'a\0b\0')
      expectSame('content-length', rawHeader(message, 'content-length'), '4')
    },
  },
  {
    id: 'message-binary',
    title: 'passes on bytes that are no UTF-8',
    clause: 'STOMP 1.2, Header content-length',
    needs: ['topic'],
    run: async (trial) => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      const message = await roundTrip(trial, ['content-type', 'application/octet-stream'], bytes)
      expectSame('body', message.body.toString('hex'), bytes.toString('hex'))
    },
  },
  {
    id: 'message-empty',
    title: 'passes on an empty body',
    clause: 'STOMP 1.2, SEND',
    needs: ['topic'],
    run: async (trial) => {
      expectSame('length', (await roundTrip(trial, [], '')).body.length, 0)
    },
  },
  {
    id: 'message-large',
    title: 'passes on a body of 60,000 bytes',
    clause: 'STOMP 1.2, Size Limits',
    needs: ['topic'],
    run: async (trial) => {
      expectSame('length', (await roundTrip(trial, [], 'x'.repeat(60_000))).body.length, 60_000)
    },
  },
  {
    id: 'message-without-length',
    title: 'ends a body without content-length at its first NUL',
    clause: 'STOMP 1.2, Header content-length',
    needs: ['topic'],
    run: async (trial) => {
      const { peer, topic } = await subscribed(trial)
      peer.write(`SEND\ndestination:${topic}\n\nshort\0SEND\ndestination:${topic}\n\nnext\0`)
      expectSame('first', (await peer.message('a')).body.toString(), 'short')
      expectSame('second', (await peer.message('a')).body.toString(), 'next')
    },
  },
  {
    id: 'message-split',
    title: 'reads a frame from several WebSocket messages, of text and of bytes',
    clause: 'RabbitMQ, Web STOMP guide; stomp-relay, PROTOCOL.md',
    needs: ['topic'],
    run: async (trial) => {
      const { peer, topic } = await subscribed(trial)
      peer.write('SEN')
      peer.write(`D\ndestination:${topic}\n`)
      peer.write('\nhal', { binary: true })
      peer.write('ves\0', { binary: true })
      expectSame('body', (await peer.message('a')).body.toString(), 'halves')
    },
  },
  {
    id: 'message-order',
    title: "delivers one sender's messages in their order",
    clause: 'RabbitMQ, STOMP guide, Topic Destinations',
    needs: ['topic'],
    run: async (trial) => {
      const { peer, topic } = await subscribed(trial)
      const sender = await trial.connect()
      const wanted = Array.from({ length: 100 }, (_, i) => String(i))
      for (const body of wanted) sender.send('SEND', ['destination', topic], body)
      const seen: string[] = []
      while (seen.length < wanted.length) seen.push((await peer.message('a')).body.toString())
      expectSame('order', seen, wanted)
    },
  },
  {
    id: 'message-no-leaks',
    title: 'keeps to itself what a SEND says to the server, credentials above all',
    clause: 'STOMP 1.2, SEND: only user defined headers are passed through',
    needs: ['topic'],
    run: async (trial) => {
      const mine = ['receipt', 'mine', 'login', 'me', 'passcode', 'secret']
      const message = await roundTrip(trial, mine)
      const leaked = ['receipt', 'login', 'passcode'].filter((name) => message.headers.includes(name))
      expectSame('leaked headers', leaked, [])
    },
  },
  {
    id: 'message-not-forged',
    title: "lets no sender write the server's own headers",
    clause: 'STOMP 1.2, MESSAGE',
    needs: ['topic'],
    run: async (trial) => {
      const message = await roundTrip(trial, [
        'subscription',
        'forged',
        'redelivered',
        'forged',
        'ack',
        'forged',
      ])
      expect(!message.headers.includes('forged'), 'a forged header arrives')
    },
  },
]
