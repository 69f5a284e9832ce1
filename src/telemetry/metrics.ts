import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { metricsOfAllWorkers } from './shared-metrics.ts'

/** What this node counts, in Prometheus' form. One object a node, so that tests do not share numbers. */
export interface Metrics {
  readonly registry: Registry
  /** What `/metrics` answers. */
  readonly text: () => Promise<string>
  readonly connections: Gauge
  readonly connectionsRefused: Counter<'reason'>
  readonly requestsRefused: Counter<'reason'>
  /** What is counted for every frame: plain numbers, since a counter object costs more than the frame. */
  readonly hot: { framesReceived: number; framesSent: number; socketWrites: number; paced: number }
  readonly refusals: Counter<'code'>
  readonly violations: Counter<'code'>
  readonly slowClients: Counter
  /** A batch of writes is in the database. */
  readonly committed: (batch: { readonly writes: number; readonly commitMs: number }) => void
}

/** @param sharedAs the name of this node where its process shares a port with others */
export function createMetrics(sharedAs?: string): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []): Counter<L> =>
    new Counter({ name: `stomp_relay_${name}`, help, labelNames, registers })
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `stomp_relay_${name}`, help, registers })
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name: `stomp_relay_${name}`, help, buckets, registers })
  const commitSeconds = histogram(
    'commit_seconds',
    'seconds that a transaction of stored events took',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  )
  const commitBatchWrites = histogram(
    'commit_batch_writes',
    'writes that shared a transaction',
    [1, 2, 4, 8, 16, 32, 64, 128, 256],
  )
  const hot = { framesReceived: 0, framesSent: 0, socketWrites: 0, paced: 0 }
  for (const total of hotTotals(hot)) registry.registerMetric(total)
  return {
    registry,
    text: sharedAs === undefined ? async () => registry.metrics() : metricsOfAllWorkers(registry, sharedAs),
    connections: gauge('connections', 'WebSocket connections open'),
    connectionsRefused: counter('connections_refused_total', 'connections refused or cut', ['reason']),
    requestsRefused: counter('requests_refused_total', 'HTTP requests refused unread', ['reason']),
    hot,
    refusals: counter('refusals_total', 'messages refused while the session lives on', ['code']),
    violations: counter('violations_total', 'protocol violations that ended a session', ['code']),
    slowClients: counter('slow_clients_total', 'clients closed because they did not read'),
    committed: ({ writes, commitMs }) => {
      commitSeconds.observe(commitMs / 1000)
      commitBatchWrites.observe(writes)
    },
  }
}

const HOT: readonly (readonly [field: keyof Metrics['hot'], name: string, help: string])[] = [
  ['framesReceived', 'frames_received', 'STOMP frames received'],
  ['framesSent', 'frames_sent', 'STOMP frames sent'],
  ['socketWrites', 'socket_writes', 'writes to client sockets'],
  ['paced', 'paced', 'times that a session had to wait for its large frames or its SUBSCRIBEs'],
]

function hotTotals(hot: Metrics['hot']): readonly Counter[] {
  return HOT.map(
    ([field, name, help]) =>
      new Counter({
        name: `stomp_relay_${name}_total`,
        help,
        registers: [],
        collect() {
          this.reset()
          this.inc(hot[field])
        },
      }),
  )
}

/** Shows a number that somebody else keeps. A promise holds up who asks for metrics: it must be kept soon. */
export function mirrorGauge(
  { registry }: Metrics,
  name: string,
  help: string,
  read: () => number | Promise<number>,
): void {
  const gauge = new Gauge({
    name: `stomp_relay_${name}`,
    help,
    registers: [],
    async collect() {
      this.set(await read())
    },
  })
  registry.registerMetric(gauge)
}

/** Shows what somebody else knows as labels of a gauge that is 1; nothing while it is not known. */
export function mirrorInfo<L extends string>(
  { registry }: Metrics,
  { name, help, labelNames }: { name: string; help: string; labelNames: readonly L[] },
  read: () => Readonly<Record<L, string>> | undefined,
): void {
  const gauge = new Gauge({
    name: `stomp_relay_${name}`,
    help,
    labelNames,
    registers: [],
    collect() {
      this.reset()
      const labels = read()
      if (labels !== undefined) this.set(labels, 1)
    },
  })
  registry.registerMetric(gauge)
}

/** Shows a record of counts that somebody else keeps, as one counter with a label for each of its fields. */
export function mirrorCounts({ registry }: Metrics, name: string, help: string, counts: object): void {
  const counter = new Counter({
    name: `stomp_relay_${name}_events_total`,
    help,
    labelNames: ['event'],
    registers: [],
    collect() {
      this.reset()
      for (const [event, count] of Object.entries(counts)) this.inc({ event }, Number(count))
    },
  })
  registry.registerMetric(counter)
}
