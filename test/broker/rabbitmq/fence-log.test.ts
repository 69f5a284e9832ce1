import { array, assert, constantFrom, property } from 'fast-check'
import t from 'tap'
import { FenceLog } from '../../../src/broker/rabbitmq/fence-log.ts'

const PREFETCH = 8

interface Queued {
  readonly id: number
  readonly fence: number | undefined
  isRedelivered: boolean
}

/** A queue with one consumer at a time, whose links break with frames under way in both directions. */
class ModelQueue {
  readonly handedOn: number[] = []
  published = 0
  holes = 0
  #fences = 0
  #ready: Queued[] = []
  #unacked: Queued[] = []
  #toClient: Queued[] = []
  #toBroker: string[] = []
  readonly #log = new FenceLog({
    maxUnacked: PREFETCH / 2,
    ackUpTo: (ackId) => this.#toBroker.push(ackId),
    onHole: () => {
      this.holes += 1
    },
  })

  publish(): void {
    this.published += 1
    this.#ready.push({ id: this.published, fence: undefined, isRedelivered: false })
  }

  fence(): void {
    this.#fences += 1
    this.#ready.push({ id: -this.#fences, fence: this.#fences, isRedelivered: false })
  }

  deliver(): boolean {
    if (this.#unacked.length >= PREFETCH) return false
    const next = this.#ready.shift()
    if (next === undefined) return false
    this.#unacked.push(next)
    // A copy: what is under way does not change when the message is given back.
    this.#toClient.push({ ...next })
    return true
  }

  read(): boolean {
    const next = this.#toClient.shift()
    if (next === undefined) return false
    const { id, fence, isRedelivered } = next
    const entry = { ackId: String(id), isRedelivered, fence, hash: () => String(id) }
    if (this.#log.isFresh(entry)) this.handedOn.push(id)
    return true
  }

  processAck(): boolean {
    const ackId = this.#toBroker.shift()
    if (ackId === undefined) return false
    const index = this.#unacked.findIndex(({ id }) => String(id) === ackId)
    this.#unacked.splice(0, index + 1)
    return true
  }

  cut(): void {
    this.#toClient = []
    this.#toBroker = []
    for (const each of this.#unacked) each.isRedelivered = true
    this.#ready.unshift(...this.#unacked)
    this.#unacked = []
    this.#log.onReconnect()
  }

  /** Drops the oldest that wait, as a length bound does. */
  dropHead(): void {
    this.#ready.shift()
  }

  drain(): void {
    for (let isBusy = true; isBusy;) {
      const moved = [this.deliver(), this.read(), this.processAck()]
      isBusy = moved.includes(true)
    }
  }
}

const STEPS = [
  'publish',
  'publish',
  'fence',
  'deliver',
  'deliver',
  'read',
  'read',
  'processAck',
  'cut',
] as const

await t.test('nothing is lost, doubled or reordered, wherever links break', async (t) => {
  const steps = array(constantFrom(...STEPS), { minLength: 1, maxLength: 400, size: 'max' })
  assert(
    property(steps, (names) => {
      const queue = new ModelQueue()
      for (const name of names) queue[name]()
      queue.drain()
      const all = Array.from({ length: queue.published }, (_, i) => i + 1)
      return queue.holes === 0 && JSON.stringify(queue.handedOn) === JSON.stringify(all)
    }),
    { numRuns: 3_000 },
  )
  t.pass('3,000 histories')
})

await t.test(
  'a hole is declared when the anchor is gone, and everything after it is handed on',
  async (t) => {
    const queue = new ModelQueue()
    queue.publish()
    queue.fence()
    queue.publish()
    queue.drain()
    queue.cut()
    queue.dropHead()
    queue.publish()
    queue.publish()
    queue.drain()
    t.strictSame(queue.handedOn, [1, 2, 3, 4])
    t.equal(queue.holes, 1)
    queue.cut()
    queue.publish()
    queue.drain()
    t.strictSame(queue.handedOn, [1, 2, 3, 4, 5], 'and the next cut is none')
    t.equal(queue.holes, 1)
  },
)

await t.test('a hole is declared when messages after the anchor are gone', async (t) => {
  const log: string[] = []
  const fences = new FenceLog({
    maxUnacked: 100,
    ackUpTo: (id) => log.push(`ack ${id}`),
    onHole: () => log.push('hole'),
  })
  const read = (id: string, isRedelivered: boolean, fence?: number): boolean =>
    fences.isFresh({ ackId: id, isRedelivered, fence, hash: () => id })
  t.strictSame(
    [read('a', false), read('f', false, 1), read('b', false), read('c', false)],
    [true, false, true, true],
  )
  fences.onReconnect()
  t.ok(fences.isRecovering)
  t.strictSame([read('f', true, 1), read('b', true), read('d', false)], [false, false, true])
  t.notOk(fences.isRecovering)
  t.strictSame(log, ['ack a', 'hole'])
})
