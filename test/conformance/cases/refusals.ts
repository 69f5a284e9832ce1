import { SINCE_1_1, type ConformanceCase } from '../conformance-case.ts'
import { expectSame } from '../deviation.ts'
import type { Trial } from '../trial.ts'

async function refusesBytes(trial: Trial, bytes: string): Promise<void> {
  const peer = await trial.connect()
  peer.write(bytes)
  await trial.refusal(peer)
}

/** Frames that are wrong in themselves. */
export const refusals: readonly ConformanceCase[] = [
  {
    id: 'wrong-command',
    title: 'refuses a command that there is not',
    clause: 'STOMP 1.2, Once Connected',
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, 'PUBLISH\n\n\0'),
  },
  {
    id: 'wrong-case-of-command',
    title: 'refuses a command in small letters',
    clause: 'STOMP 1.2, STOMP Frames: commands are case sensitive',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, `send\ndestination:${trial.topic()}\n\nx\0`),
  },
  {
    id: 'wrong-server-command',
    title: 'refuses a command that only servers may send',
    clause: 'STOMP 1.2, Augmented BNF',
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, `MESSAGE\ndestination:${trial.topic()}\n\nx\0`),
  },
  {
    id: 'wrong-case-of-header',
    title: 'refuses a SEND whose destination header is not written so',
    clause: 'STOMP 1.2, STOMP Frames: header names are case sensitive',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, `SEND\nDestination:${trial.topic()}\n\nx\0`),
  },
  {
    id: 'wrong-no-destination',
    title: 'refuses a SEND without destination',
    clause: 'STOMP 1.2, SEND',
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, 'SEND\n\nx\0'),
  },
  {
    id: 'wrong-destination',
    title: 'refuses a SEND to a destination of no known kind',
    clause: 'STOMP 1.2, SEND; RabbitMQ, STOMP guide, Destinations',
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, 'SEND\ndestination:/nowhere/at-all\n\nx\0'),
  },
  {
    id: 'wrong-slash',
    title: 'refuses a slash within the name of a topic',
    clause: 'RabbitMQ, STOMP guide, Destinations',
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, `SEND\ndestination:${trial.topic()}/more\n\nx\0`),
  },
  {
    id: 'wrong-header',
    title: 'refuses a header line without colon',
    clause: 'STOMP 1.2, Augmented BNF',
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, `SEND\ndestination:${trial.topic()}\nbroken\n\nx\0`),
  },
  {
    id: 'wrong-length-short',
    title: 'refuses a body that is longer than its content-length',
    clause: 'STOMP 1.2, Header content-length',
    needs: ['topic'],
    run: async (trial) =>
      refusesBytes(trial, `SEND\ndestination:${trial.topic()}\ncontent-length:2\n\nlong\0`),
  },
  {
    id: 'wrong-length-text',
    title: 'refuses a content-length that is no number',
    clause: 'STOMP 1.2, Header content-length',
    needs: ['topic'],
    run: async (trial) =>
      refusesBytes(trial, `SEND\ndestination:${trial.topic()}\ncontent-length:two\n\nxx\0`),
  },
  {
    id: 'wrong-body',
    title: 'refuses a body where none may be',
    clause: 'STOMP 1.2, Body: only SEND, MESSAGE and ERROR have a body',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => refusesBytes(trial, `SUBSCRIBE\nid:a\ndestination:${trial.topic()}\n\nbody\0`),
  },
  {
    id: 'wrong-others-live',
    title: 'lets other connections live when it ends one',
    clause: 'STOMP 1.2, ERROR: closes the connection that erred',
    needs: ['topic'],
    run: async (trial) => {
      const [good, bad] = [await trial.connect(), await trial.connect()]
      const topic = trial.topic()
      await trial.subscribe(good, 'a', topic)
      bad.write(`SEND\ndestination:${topic}\ncontent-length:two\n\nxx\0`)
      await bad.closed()
      await trial.publish(good, topic, 'alive')
      expectSame('body', (await good.message()).body.toString(), 'alive')
    },
  },
]
