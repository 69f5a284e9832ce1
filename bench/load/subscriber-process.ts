import { LatencyHistogram } from '../measure/latency-histogram.ts'
import { BenchClient } from './bench-client.ts'
import { BODY_BYTES, bodyMadeAtUs, bodyPublisher, bodySequence, nowUs } from './body.ts'
import { hears } from './client-plan.ts'
import { Completion } from './completion.ts'
import { DeliveryChecker } from './delivery-checker.ts'
import { onParent, ownCpuUs, tellParent } from './ipc.ts'
import type { FromSubscriber, SubscriberStart, ToSubscriber } from './process-messages.ts'
import { ProgressReporter } from './progress-link.ts'

/** Connections that are being set up at once. */
const CONNECTS_AT_ONCE = 50
/** All subscribers of this process: connects them, checks what they get, reports what is complete. */
class SubscriberLoad {
  readonly #start: SubscriberStart
  readonly #reporter: ProgressReporter
  readonly #checker: DeliveryChecker
  /** By publisher. */
  readonly #completions: readonly Completion[]
  readonly #latency = new LatencyHistogram()
  readonly #clients: BenchClient[] = []
  #ready = 0
  #deliveries = 0
  #reads = 0
  #bytes = 0

  constructor(start: SubscriberStart, reporter: ProgressReporter) {
    this.#start = start
    this.#reporter = reporter
    const { clients, publishers, plan } = start
    const isFor = (subscriber: number, publisher: number): boolean => hears(plan, subscriber, publisher)
    this.#checker = new DeliveryChecker(clients.length, publishers, isFor)
    this.#completions = Array.from({ length: publishers }, (_, publisher) => {
      const hearers = clients.filter((_each, subscriber) => isFor(subscriber, publisher)).length
      if (hearers === 0) throw new Error('there are more topics than subscribers')
      return new Completion(hearers)
    })
    for (let i = 0; i < CONNECTS_AT_ONCE; i++) this.#connectNext()
  }

  mark(): void {
    say({
      type: 'mark',
      atUs: nowUs(),
      cpuUs: ownCpuUs(),
      deliveries: this.#deliveries,
      reads: this.#reads,
      bytes: this.#bytes,
      latency: this.#latency.counts(),
      faults: this.#checker.soFar(),
    })
    this.#latency.clear()
  }

  finish(published: readonly number[]): void {
    for (const client of this.#clients) client.destroy()
    this.#reporter.close()
    say({ type: 'result', faults: this.#checker.finish(published) })
  }

  #connectNext(): void {
    const index = this.#clients.length
    const connectHeaders = this.#start.clients[index]
    if (connectHeaders === undefined) return
    const client = new BenchClient(this.#start.plan, index, connectHeaders, {
      onReady: () => this.#onReady(),
      onBody: (bytes, start, length) => this.#onBody(index, bytes, start, length),
      onReceipt: () => say({ type: 'failed', reason: `subscriber ${index} got a receipt` }),
      onRead: (count) => {
        this.#reads++
        this.#bytes += count
      },
      onFailure: (reason) => say({ type: 'failed', reason: `subscriber ${index}: ${reason}` }),
    })
    this.#clients.push(client)
  }

  #onReady(): void {
    this.#ready++
    if (this.#ready === this.#start.clients.length) say({ type: 'ready' })
    else this.#connectNext()
  }

  #onBody(subscriber: number, bytes: Buffer, payloadStart: number, length: number): void {
    this.#deliveries++
    const { bodyOffset } = this.#start.plan
    const start = payloadStart + bodyOffset
    const publisher = length < bodyOffset + BODY_BYTES ? -1 : bodyPublisher(bytes, start)
    const sequence = bodySequence(bytes, start)
    if (!this.#checker.take(subscriber, publisher, sequence)) return
    if ((sequence + subscriber) % this.#start.timedOneIn === 0)
      this.#latency.record(nowUs() - bodyMadeAtUs(bytes, start))
    const completion = this.#completions[publisher]!
    if (completion.take(sequence)) this.#reporter.report(publisher, completion.completed)
  }
}

let load: SubscriberLoad | undefined

function say(message: FromSubscriber): void {
  tellParent(message)
}

async function handle(message: ToSubscriber): Promise<void> {
  if (message.type === 'start') {
    load = new SubscriberLoad(message, await ProgressReporter.connect(message.progressPort))
  } else if (message.type === 'mark') load?.mark()
  else load?.finish(message.published)
}

onParent<ToSubscriber>(handle, (reason) => say({ type: 'failed', reason }))
