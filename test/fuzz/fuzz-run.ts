import * as fc from 'fast-check'
import { ChildChannel } from '../../bench/child-channel.ts'
import { siblingModule } from '../../bench/sibling-module.ts'
import { temporaryFolder } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import type { FromFuzzedRelay, FuzzCensus, ToFuzzedRelay } from './fuzz-messages.ts'
import { httpRequest } from './http-request.ts'
import { playHttp, playStomp, type Place } from './play.ts'
import { stompScript, strangersScript } from './stomp-script.ts'
import { webSocketBytes } from './web-socket-bytes.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export interface FuzzOptions {
  readonly seed: number
  /** Batches of each kind; without it, until `isOver`. */
  readonly batches?: number
  readonly isOver?: () => boolean
  say(line: string): void
}

export interface FuzzReport {
  readonly connections: number
  readonly heap: { readonly before: number; readonly after: number }
  /** In words; empty where the node bore everything. */
  readonly faults: readonly string[]
}

/** Connections at once. */
const LANES = 12
/** Connections of a batch, by kind. */
const BATCH = { stomp: 60, strangers: 24, http: 60, sockets: 24 }
/** Batches before the heap is looked at: what is made once, and caches that have a bound. */
const WARM_UP = 2
/** How much more the heap may be: a share, and what the caches of so many odd names may take. */
const HEAP_GROWTH = 1.25
const HEAP_SLACK = 8 * 2 ** 20
const CENSUS_MS = 120_000
const MAX_FAULTS = 20

type Relay = ChildChannel<ToFuzzedRelay, FromFuzzedRelay>
type Play = () => Promise<string | undefined>

/**
 * Lets clients that obey no rule loose on a node in a process of its own, batch after batch, while one that
 * does goes on talking. What they do depends on the seed alone.
 */
export async function fuzz(t: Teardown, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, batches = Infinity, isOver = () => false } = options
  const relay: Relay = ChildChannel.fork(siblingModule(import.meta.url, './fuzzed-relay'))
  t.teardown(() => relay.stop())
  const place = await serve(t, relay)
  const bystander = await Bystander.connect(t, place)
  const faults: string[] = []
  let connections = 0
  let before: FuzzCensus | undefined
  for (let batch = 0; batch < batches && !isOver() && faults.length < MAX_FAULTS; batch += 1) {
    const at = { seed: seed + batch, place }
    connections += await playAll(at, 'stomp', faults)
    await bystander.speak(batch)
    const { acts } = await census(relay)
    connections += await playAll(at, 'strangers', faults)
    const after = await census(relay)
    if (after.acts !== acts) faults.push(`seed ${seed + batch}: strangers had ${after.acts - acts} effects`)
    connections += await playAll(at, 'http', faults)
    connections += await playAll(at, 'sockets', faults)
    await bystander.speak(batch)
    for (const fault of after.faults) if (!faults.includes(fault)) faults.push(fault)
    if (batch === WARM_UP - 1) before = await settled(relay)
    options.say(
      `batch ${batch + 1}, seed ${seed + batch}: ${connections} connections, ${faults.length} faults`,
    )
  }
  const after = await settled(relay)
  faults.push(...growth(before ?? after, after))
  const heap = { before: (before ?? after).heapBytes, after: after.heapBytes }
  return { connections, heap, faults }
}

async function serve(t: Teardown, relay: Relay): Promise<Place> {
  const folder = await temporaryFolder(t)
  const settings = {
    PORT: '0',
    DATABASE_URL: `sqlite:${folder}/relay.db`,
    AUTH_JWT_SECRET: TEST_SECRET,
    // Nobody gets in by a password: whoever is no stranger has a token.
    DEMO_ACCOUNTS: 'false',
    LIMIT_SESSIONS_PER_USER: '1000',
    DRAIN_MS: '0',
  }
  relay.send({ type: 'serve', settings })
  const { address } = await relay.next('listening')
  const [alice, orders, admin] = await Promise.all([
    testToken('alice', 'user'),
    testToken('orders', 'service'),
    testToken('admin', 'admin'),
  ])
  return { address, url: `${address.replace('http', 'ws')}/ws`, tokens: { alice, orders, admin } }
}

function plays(kind: keyof typeof BATCH, seed: number, place: Place): readonly Play[] {
  const options = { seed, numRuns: BATCH[kind] }
  if (kind === 'http' || kind === 'sockets') {
    const tokens = Object.values(place.tokens)
    const requests = fc.sample(kind === 'http' ? httpRequest(tokens) : webSocketBytes(tokens), options)
    return requests.map(
      ({ bytes }) =>
        () =>
          playHttp(place, bytes),
    )
  }
  const scripts = fc.sample(kind === 'stomp' ? stompScript : strangersScript, options)
  return scripts.map((script) => () => playStomp(place, script))
}

/** @returns how many there were; what was wrong goes to `faults` with what it takes to see it again */
async function playAll(
  { seed, place }: { seed: number; place: Place },
  kind: keyof typeof BATCH,
  faults: string[],
): Promise<number> {
  const waiting = [...plays(kind, seed, place).entries()]
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, play] = next
      const fault = await play().catch((error: unknown) => String(error))
      if (fault !== undefined) faults.push(`seed ${seed}, ${kind} ${i}: ${fault}`)
    }
  }
  const count = waiting.length
  await Promise.all(Array.from({ length: LANES }, lane))
  return count
}

async function census(relay: Relay): Promise<FuzzCensus> {
  relay.send({ type: 'census' })
  return relay.next('census', CENSUS_MS)
}

/** Asks until nothing goes any more, since sockets take their time to be gone. */
async function settled(relay: Relay): Promise<FuzzCensus> {
  let last = await census(relay)
  for (let asked = 0; asked < 20; asked += 1) {
    const next = await census(relay)
    const isSmaller = socketsOf(next) < socketsOf(last) || next.heapBytes < last.heapBytes * 0.995
    last = next
    if (!isSmaller && asked > 3) break
  }
  return last
}

function socketsOf({ resources }: FuzzCensus): number {
  return resources['TCPSocketWrap'] ?? 0
}

function growth(before: FuzzCensus, after: FuzzCensus): string[] {
  const grown: string[] = []
  const handles = socketsOf(after) - socketsOf(before)
  if (handles > LANES) grown.push(`sockets: ${socketsOf(before)} -> ${socketsOf(after)}`)
  if (after.heapBytes > before.heapBytes * HEAP_GROWTH + HEAP_SLACK) {
    grown.push(`heap: ${before.heapBytes} -> ${after.heapBytes} bytes`)
  }
  return grown
}

/** Somebody who does everything right, and is to be served as if nobody else were there. */
class Bystander {
  readonly #client: StompClient

  private constructor(client: StompClient) {
    this.#client = client
  }

  static async connect(t: Teardown, { url }: Place): Promise<Bystander> {
    const client = await StompClient.open(t, url)
    const token = await testToken('bystander', 'user')
    client.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
    await client.next('CONNECTED')
    await client.subscribe('own', '/topic/rooms.bystanders')
    return new Bystander(client)
  }

  async speak(batch: number): Promise<void> {
    const content = `still here ${batch}`
    await this.#client.ask(
      'SEND',
      ['destination', '/app/rooms/bystanders/messages'],
      JSON.stringify({ content }),
    )
    const { payload } = await this.#client.message('own')
    if (payload['content'] !== content) throw new Error(`the bystander heard ${JSON.stringify(payload)}`)
  }
}
