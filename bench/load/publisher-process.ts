import { BenchClient, publicationText } from './bench-client.ts'
import { makeBody, nowUs } from './body.ts'
import { onParent, ownCpuUs, tellParent } from './ipc.ts'
import type { FromPublisher, PublisherStart, ToPublisher } from './process-messages.ts'
import { ProgressListener } from './progress-link.ts'
import { clientFrame } from './ws-frame.ts'

/** A paced publisher holds back when this many messages are unfinished: its server cannot follow. */
const MAX_UNFINISHED_PACED = 2000
/** How long after the last progress the publisher still waits for what is unfinished. */
const DRAIN_PATIENCE_MS = 10_000
const PACE_TICK_MS = 1
const PUBLISHER = 0

/** The one publisher of the run. Sequence numbers begin at 1. */
class PublisherLoad {
  readonly #start: PublisherStart
  readonly #client: BenchClient
  #listener: ProgressListener | undefined
  #published = 0
  #completed = 0
  #isRunning = false
  #hasHeldBack = false
  #pace: NodeJS.Timeout | undefined
  #startedAtUs = 0
  #patience: NodeJS.Timeout | undefined

  constructor(start: PublisherStart) {
    this.#start = start
    this.#client = new BenchClient(start.plan, 'publisher', start.connectHeaders, {
      onReady: () => say({ type: 'ready' }),
      onBody: () => say({ type: 'failed', reason: 'the publisher got a message' }),
      onRead: () => undefined,
      onFailure: (reason) => say({ type: 'failed', reason: `publisher: ${reason}` }),
    })
  }

  async listen(): Promise<void> {
    this.#listener = await ProgressListener.listen(this.#start.reporters, (completed) =>
      this.#onProgress(completed),
    )
    say({ type: 'listening', progressPort: this.#listener.port })
  }

  go(): void {
    this.#isRunning = true
    this.#startedAtUs = nowUs()
    if (this.#start.pacing.kind === 'saturated') this.#fillWindow(this.#start.pacing.window)
    else this.#pace = setInterval(() => this.#keepPace(), PACE_TICK_MS)
  }

  mark(): void {
    say({ type: 'mark', cpuUs: ownCpuUs(), published: this.#published })
  }

  stop(): void {
    this.#isRunning = false
    clearInterval(this.#pace)
    this.#settle()
  }

  #onProgress(completed: number): void {
    this.#completed = completed
    if (!this.#isRunning) this.#settle()
    else if (this.#start.pacing.kind === 'saturated') this.#fillWindow(this.#start.pacing.window)
  }

  #settle(): void {
    clearTimeout(this.#patience)
    if (this.#completed >= this.#published) this.#sayStopped()
    else this.#patience = setTimeout(() => this.#sayStopped(), DRAIN_PATIENCE_MS)
  }

  #sayStopped(): void {
    const isDrained = this.#completed >= this.#published
    say({ type: 'stopped', published: this.#published, isDrained, hasHeldBack: this.#hasHeldBack })
    this.#client.destroy()
    this.#listener?.close()
  }

  #fillWindow(window: number): void {
    this.#publish(this.#completed + window - this.#published)
  }

  #keepPace(): void {
    if (this.#start.pacing.kind !== 'paced') return
    const due = Math.floor(((nowUs() - this.#startedAtUs) * this.#start.pacing.messagesPerSecond) / 1e6)
    const room = this.#completed + MAX_UNFINISHED_PACED - this.#published
    if (due - this.#published > room) this.#hasHeldBack = true
    this.#publish(Math.min(due - this.#published, room))
  }

  #publish(count: number): void {
    if (count <= 0) return
    const frames: Buffer[] = []
    for (let i = 0; i < count; i++) {
      const body = makeBody(PUBLISHER, ++this.#published, nowUs())
      frames.push(clientFrame(Buffer.from(publicationText(this.#start.plan, body), 'latin1')))
    }
    this.#client.sendFrames(frames)
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
