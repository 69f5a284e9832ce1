import { MessageError } from '../../src/errors.ts'
import type { OutboxRepository, Store, StreamLog } from '../../src/store/store.ts'
import type { StreamReaderOptions } from '../../src/stream/stream-reader.ts'
import type { StreamsOptions } from '../../src/stream/streams.ts'
import type { Chance } from './chance.ts'
import type { Life } from './life.ts'
import type { Tally } from './tally.ts'
import type { Weather } from './weather.ts'

/** All that the streams of a node ask of a store. */
export type NodeStore = StreamsOptions['store'] & StreamReaderOptions['store']

export interface MortalStoreParts {
  readonly store: Store
  readonly life: Life
  readonly chance: Chance
  readonly weather: Weather['store']
  readonly tally: Tally
  /** Told when rows have gone from the outbox. */
  readonly onRemoved: () => void
  /** How long the lease is not renewed, from now on: milliseconds, asked before each renewal. */
  readonly stall: () => Promise<void>
}

/**
 * The database as one life of a node sees it: slow at times, failing at times, and silent from the
 * moment on at which the node was killed.
 */
export function mortalStore(parts: MortalStoreParts): NodeStore {
  const { store, life, stall } = parts
  const { nodes, requests } = store
  return {
    get epoch() {
      return store.epoch
    },
    refreshEpoch: () => life.hear(() => store.refreshEpoch()),
    transact: (work) => life.hear(() => transact(parts, work)),
    log: mortalLog(parts),
    outbox: mortalOutbox(parts),
    nodes: {
      renew: (lease) =>
        life.hear(async () => {
          await stall()
          return nodes.renew(lease)
        }),
      release: (lease) => life.hear(() => nodes.release(lease)),
      living: () => life.hear(() => nodes.living()),
    },
    requests: { trim: (now, limit) => life.hear(() => requests.trim(now, limit)) },
  }
}

const transact = async <R>(parts: MortalStoreParts, work: Parameters<Store['transact']>[0]): Promise<R> => {
  const { store, life, chance, weather, tally } = parts
  await linger(parts)
  if (chance.is(weather.commitFails)) {
    tally.hit('commit failed')
    throw away('the transaction was not begun')
  }
  const result = await store.transact(async (tx) => {
    const staged = await work(tx)
    if (life.reach('before commit')) throw new Error('the node was killed')
    return staged
  })
  if (!life.reach('after commit') && chance.is(weather.commitAnswerLost)) {
    tally.hit('commit answer lost')
    throw away('the answer was lost')
  }
  return result as R
}

function mortalLog(parts: MortalStoreParts): StreamLog {
  const { store, life, chance, weather, tally } = parts
  const read = <R>(ask: () => Promise<R>): Promise<R> =>
    life.hear(async () => {
      await linger(parts)
      if (chance.is(weather.readFails)) {
        tally.hit('read failed')
        throw away('no answer')
      }
      const answer = await ask()
      await linger(parts)
      return answer
    })
  return {
    head: (stream) => read(() => store.log.head(stream)),
    heads: (streams) => read(() => store.log.heads(streams)),
    read: (stream, after, limit) => read(() => store.log.read(stream, after, limit)),
    trim: (now, limit) => life.hear(() => store.log.trim(now, limit)),
  }
}

function mortalOutbox({ store: { outbox }, life, onRemoved }: MortalStoreParts): OutboxRepository {
  return {
    pending: (after, limit) => life.hear(() => outbox.pending(after, limit)),
    ageMs: (now) => life.hear(() => outbox.ageMs(now)),
    claim: (limit) =>
      life.hear(async () => {
        const rows = await outbox.claim(limit)
        if (rows.length > 0) life.reach('after claim')
        return rows
      }),
    remove: (seqs) =>
      life.hear(async () => {
        if (life.reach('before removal')) return
        await outbox.remove(seqs)
        life.reach('after removal')
        onRemoved()
      }),
  }
}

async function linger({ chance, weather }: MortalStoreParts): Promise<void> {
  if (chance.is(weather.slow)) await chance.while()
}

function away(why: string): MessageError {
  return new MessageError('store-unavailable', why)
}
