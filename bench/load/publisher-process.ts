import { BenchClient, publicationText } from './bench-client.ts'
import { makeBody, nowUs } from './body.ts'
import { onParent, ownCpuUs, tellParent } from './ipc.ts'
import type { FromPublisher, PublisherStart, ToPublisher } from './process-messages.ts'
import { ProgressListener } from './progress-link.ts'
import { Publications } from './publications.ts'
import { clientFrame } from './ws-frame.ts'

/** A paced publisher holds back when this many messages are unfinished: its server cannot follow. */
const MAX_UNFINISHED_PACED = 2000
/** How long after the last progress the publisher still waits for what is unfinished. */
const DRAIN_PATIENCE_MS = 10_000
const PACE_TICK_MS = 1

/** The publishers of the run, a client each, that share one window or rate and take turns. */
class PublisherLoad {
  readonly #start: PublisherStart
  readonly #clients: readonly BenchClient[]
  readonly #publications: Publications
  #listener: ProgressListener | undefined
  #ready = 0
  #isRunning = false
  #hasHeldBack = false
  #pace: NodeJS.Timeout | undefined
  #startedAtUs = 0
  #patience: NodeJS.Timeout | undefined

  constructor(start: PublisherStart) {
    this.#start = start
    this.#publications = new Publications(start.clients.length, start.plan.hasReceipts)
    this.#clients = start.clients.map(
      (connectHeaders, publisher) =>
        new BenchClient(start.plan, 'publisher', connectHeaders, {
          onReady: () => this.#onReady(),
          onBody: () => say({ type: 'failed', reason: 'a publisher got a message' }),
          onReceipt: (sequence) => this.#onReceipt(publisher, sequence),
          onRead: () => this.#onProgress(),
          onFailure: (reason) => say({ type: 'failed', reason: `publisher ${publisher}: ${reason}` }),
        }),
    )
  }

  async listen(): Promise<void> {
    const { reporters, clients } = this.#start
    const counts = { reporters, publishers: clients.length }
    this.#listener = await ProgressListener.listen(counts, {
      onCompleted: (publisher, completed) => this.#publications.complete(publisher, completed),
      onRead: () => this.#onProgress(),
    })
    say({ type: 'listening', progressPort: this.#listener.port })
  }

  go(): void {
    this.#isRunning = true
    this.#startedAtUs = nowUs()
    if (this.#start.pacing.kind === 'saturated') this.#fillWindow(this.#start.pacing.window)
    else this.#pace = setInterval(() => this.#keepPace(), PACE_TICK_MS)
  }

  mark(): void {
    const { total, unfinished } = this.#publications
    say({
      type: 'mark',
      cpuUs: ownCpuUs(),
      published: total,
      unfinished,
      hasHeldBack: this.#hasHeldBack,
    })
  }

  stop(): void {
    this.#isRunning = false
    clearInterval(this.#pace)
    this.#settle()
  }

  #onReady(): void {
    this.#ready++
    if (this.#ready === this.#clients.length) say({ type: 'ready' })
  }

  #onReceipt(publisher: number, sequence: number): void {
    if (this.#publications.receipt(publisher, sequence)) return
    say({ type: 'failed', reason: `publisher ${publisher} got a receipt twice or for nothing: ${sequence}` })
  }

  // Called once for all that came with one read, so that permits are used together.
  #onProgress(): void {
    if (this.#isRunning) {
      if (this.#start.pacing.kind === 'saturated') this.#fillWindow(this.#start.pacing.window)
    } else if (this.#patience !== undefined) this.#settle()
  }

  #settle(): void {
    clearTimeout(this.#patience)
    if (this.#publications.unfinished === 0) this.#sayStopped()
    else this.#patience = setTimeout(() => this.#sayStopped(), DRAIN_PATIENCE_MS)
  }

  #sayStopped(): void {
    this.#patience = undefined
    const isDrained = this.#publications.unfinished === 0
    const { published } = this.#publications
    say({ type: 'stopped', published, isDrained, hasHeldBack: this.#hasHeldBack })
    for (const client of this.#clients) client.destroy()
    this.#listener?.close()
  }

  #fillWindow(window: number): void {
    this.#publish(window - this.#publications.unfinished)
  }

  #keepPace(): void {
    if (this.#start.pacing.kind !== 'paced') return
    const due = Math.floor(((nowUs() - this.#startedAtUs) * this.#start.pacing.messagesPerSecond) / 1e6)
    const missing = due - this.#publications.total
    const room = MAX_UNFINISHED_PACED - this.#publications.unfinished
    if (missing > room) this.#hasHeldBack = true
    this.#publish(Math.min(missing, room))
  }

  #publish(count: number): void {
    if (count <= 0) return
    const frames: Buffer[][] = this.#clients.map(() => [])
    for (let i = 0; i < count; i++) {
      const { publisher, sequence } = this.#publications.next()
      frames[publisher]!.push(this.#frame(publisher, sequence))
    }
    for (const [publisher, own] of frames.entries()) {
      if (own.length > 0) this.#clients[publisher]!.sendFrames(own)
    }
  }

  #frame(publisher: number, sequence: number): Buffer {
    const { plan } = this.#start
    const topic = plan.topics[publisher % plan.topics.length]!
    const body = makeBody(publisher, sequence, nowUs())
    return clientFrame(Buffer.from(publicationText(plan, topic, body, sequence), 'latin1'))
  }
}

let load: PublisherLoad | undefined

function say(message: FromPublisher): void {
  tellParent(message)
}

async function handle(message: ToPublisher): Promise<void> {
  if (message.type === 'start') {
    load = new PublisherLoad(message)
    await load.listen()
  } else if (message.type === 'go') load?.go()
  else if (message.type === 'mark') load?.mark()
  else load?.stop()
}

onParent<ToPublisher>(handle, (reason) => say({ type: 'failed', reason }))
