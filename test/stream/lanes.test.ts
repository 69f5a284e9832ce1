import { setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import t from 'tap'
import { Lanes } from '../../src/stream/lanes.ts'
import type { LanesOptions } from '../../src/stream/lanes.ts'

interface Item {
  readonly lane: string
  readonly n: number
}

/** Publishes that the test settles itself, in whatever order. */
class Desk {
  readonly open: { item: Item; settle: (error?: Error) => void }[] = []
  readonly done: string[] = []
  readonly givenUp: string[] = []
  readonly lanes: Lanes<Item>
  readonly heard: string[] = []
  /** Published while an earlier one of the lane was neither heard nor under way. */
  readonly overtaking: string[] = []
  most = 0
  readonly #pushed: string[] = []

  constructor(options: Partial<LanesOptions<Item>> = {}) {
    this.lanes = new Lanes<Item>({
      publish: (item) =>
        new Promise<void>((resolve, reject) => {
          if (this.#isOvertaking(item)) this.overtaking.push(name(item))
          const settle = (error?: Error): void => {
            if (error !== undefined) return reject(error)
            this.heard.push(name(item))
            resolve()
          }
          this.open.push({ item, settle })
          this.most = Math.max(this.most, this.open.length)
        }),
      laneOf: (item) => item.lane,
      onDone: (item) => this.done.push(name(item)),
      isRefusal: (error) => error instanceof RangeError,
      onGivenUp: (item) => this.givenUp.push(name(item)),
      window: 100,
      maxRefusals: 3,
      retryBaseMs: 1,
      retryMaxMs: 1,
      ...options,
    })
  }

  get names(): string[] {
    return this.open.map(({ item }) => name(item))
  }

  /** Settles one publish, and lets it take effect. */
  async settle(which: string, error?: Error): Promise<void> {
    const index = this.names.indexOf(which)
    if (index === -1) throw new Error(`${which} is not being published`)
    this.open.splice(index, 1)[0]?.settle(error)
    await turn()
  }

  push(...names: string[]): void {
    for (const text of names) {
      this.#pushed.push(text)
      this.lanes.push({ lane: text.slice(0, 1), n: Number(text.slice(1)) })
    }
  }

  #isOvertaking(item: Item): boolean {
    const before = this.#pushed.slice(0, this.#pushed.indexOf(name(item)))
    const own = before.filter((text) => text.startsWith(item.lane))
    return own.some((text) => !this.heard.includes(text) && !this.names.includes(text))
  }

  /** Resolves once so many are being published. */
  async until(count: number): Promise<void> {
    while (this.open.length < count) await turn()
  }
}

function name(item: Item): string {
  return `${item.lane}${item.n}`
}

const away = new Error('away')
const refused = new RangeError('refused')

await t.test('publishes at once up to the window, in the order of pushes', async (t) => {
  const desk = new Desk({ window: 2 })
  desk.push('a1', 'b1', 'a2')
  t.strictSame(desk.names, ['a1', 'b1'])
  t.equal(desk.lanes.held, 3)
  await desk.settle('b1')
  t.strictSame(desk.names, ['a1', 'a2'])
  await desk.settle('a1')
  await desk.settle('a2')
  t.strictSame(desk.done, ['b1', 'a1', 'a2'])
  t.equal(desk.lanes.held, 0)
})

await t.test('is done with an item only when all before it in its lane are', async (t) => {
  const desk = new Desk()
  desk.push('a1', 'a2', 'b1')
  await desk.settle('a2')
  await desk.settle('b1')
  t.strictSame(desk.done, ['b1'])
  await desk.settle('a1')
  t.strictSame(desk.done, ['b1', 'a1', 'a2'])
})

await t.test(
  'publishes again what failed and what came after it, when all under way is settled',
  async (t) => {
    const desk = new Desk()
    desk.push('a1', 'a2', 'a3', 'b1')
    await desk.settle('a2', away)
    desk.push('a4', 'b2')
    t.strictSame(desk.names, ['a1', 'a3', 'b1', 'b2'], 'the lane stands still, others go on')
    await desk.settle('a1')
    await desk.settle('a3')
    t.strictSame(desk.done, ['a1'], 'a3 waits for a2')
    await desk.until(4)
    t.strictSame(desk.names, ['b1', 'b2', 'a2', 'a4'], 'a3 is with the broker')
    await desk.settle('a2')
    t.strictSame(desk.done, ['a1', 'a2', 'a3'])
  },
)

await t.test('repeats nothing that was confirmed behind what is refused and given up', async (t) => {
  const desk = new Desk({ maxRefusals: 2, window: 2 })
  desk.push('a1', 'a2', 'a3')
  await desk.settle('a2')
  await desk.settle('a1', refused)
  await desk.settle('a3')
  await desk.until(1)
  t.strictSame(desk.names, ['a1'])
  await desk.settle('a1', refused)
  t.strictSame(desk.givenUp, ['a1'])
  t.strictSame(desk.done, ['a1', 'a2', 'a3'])
  t.equal(desk.lanes.held, 0)
  t.strictSame(desk.heard, ['a2', 'a3'])
})

await t.test('gives up what is refused again and again, and nothing else', async (t) => {
  const desk = new Desk()
  desk.push('a1', 'a2')
  for (let round = 1; round <= 3; round += 1) {
    await desk.until(2)
    await desk.settle('a1', refused)
    await desk.settle('a2', away)
  }
  await desk.until(1)
  t.strictSame(desk.names, ['a2'])
  t.strictSame(desk.givenUp, ['a1'])
  t.strictSame(desk.done, ['a1'])
  await desk.settle('a2')
  t.equal(desk.lanes.held, 0)
})

await t.test('begins anew in a lane whose items were all given up', async (t) => {
  const desk = new Desk({ maxRefusals: 1 })
  desk.push('a1')
  await desk.settle('a1', refused)
  t.strictSame(desk.givenUp, ['a1'])
  desk.push('a2')
  await desk.until(1)
  await desk.settle('a2')
  t.strictSame(desk.done, ['a1', 'a2'])
})

await t.test('closes when nothing is under way, and retries no more', async (t) => {
  const desk = new Desk({ window: 1 })
  let isClosed = false
  desk.push('a1', 'b1')
  const closed = desk.lanes.close().then(() => (isClosed = true))
  await desk.settle('a1', away)
  t.notOk(isClosed, 'b1 is under way')
  await desk.settle('b1')
  await closed
  t.strictSame(desk.done, ['b1'])
  t.equal(desk.lanes.held, 1, 'a1 is left to the next process')
})

await t.test('closes at once when a lane only waits for its next try', async (t) => {
  const desk = new Desk({ retryBaseMs: 3_600_000, retryMaxMs: 3_600_000 })
  desk.push('a1')
  await desk.settle('a1', away)
  await desk.lanes.close()
  t.equal(desk.lanes.held, 1)
})

await t.test('keeps its order whatever fails', async (t) => {
  const step = fc.record({ pick: fc.nat(), outcome: fc.constantFrom('ok', 'ok', 'ok', 'away', 'refused') })
  const plan = fc.record({
    items: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 25 }),
    window: fc.integer({ min: 1, max: 8 }),
    steps: fc.array(step, { maxLength: 60 }),
  })
  await fc.assert(
    fc.asyncProperty(plan, async ({ items, window, steps }) => {
      const desk = new Desk({ window, maxRefusals: 1000, retryBaseMs: 0, retryMaxMs: 0 })
      const pushed = items.map((lane, i) => `${lane}${i}`)
      desk.push(...pushed)
      let i = 0
      while (desk.lanes.held > 0) {
        await desk.until(1)
        const { pick, outcome } = steps[i++] ?? { pick: 0, outcome: 'ok' }
        const which = desk.names[pick % desk.names.length] ?? ''
        await desk.settle(which, { ok: undefined, away, refused }[outcome])
      }
      for (const lane of ['a', 'b', 'c']) {
        const own = pushed.filter((text) => text.startsWith(lane))
        const heard = desk.heard.filter((text) => text.startsWith(lane))
        if (heard.toSorted().join() !== own.toSorted().join()) throw new Error('lost, or heard twice')
        if (desk.done.filter((text) => text.startsWith(lane)).join() !== own.join()) throw new Error('done')
      }
      if (desk.overtaking.length > 0) throw new Error('overtaken')
      if (desk.most > window) throw new Error('window')
    }),
    { numRuns: 300 },
  )
  t.pass('300 random runs')
})
