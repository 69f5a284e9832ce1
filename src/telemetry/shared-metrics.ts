import cluster from 'node:cluster'
import process from 'node:process'
import { AggregatorRegistry, type Registry } from 'prom-client'
import { deferred } from '../lib/deferred.ts'
import { within } from '../lib/within.ts'

/** Longer than prom-client waits for the slowest process, 5 s. */
const ANSWER_MS = 6_000

const ASK = { stompRelay: 'metrics-of-all' }

interface Answer {
  readonly stompRelay: 'metrics'
  /** Missing where some process did not answer. */
  readonly text?: string
}

/**
 * What `/metrics` says in a process that shares its port with others: a scrape reaches any of them, and
 * must show all. Each series bears the `node` it comes from. Where one of them does not answer, a scrape
 * shows only the node that it reached.
 */
export function metricsOfAllWorkers(registry: Registry, nodeId: string): () => Promise<string> {
  registry.setDefaultLabels({ node: nodeId })
  AggregatorRegistry.setRegistries([registry])
  // From now on this process answers when the first one asks.
  void new AggregatorRegistry()
  let asking: Promise<string | undefined> | undefined
  return async () => {
    asking ??= ask()
      .catch(() => undefined)
      .finally(() => {
        asking = undefined
      })
    return (await asking) ?? registry.metrics()
  }
}

/** @returns undefined where the first process, or one of the others, does not answer in time */
async function ask(): Promise<string | undefined> {
  if (!process.connected) return undefined
  const { promise, resolve } = deferred<string | undefined>()
  const onMessage = (message: unknown): void => {
    if (isAnswer(message)) resolve(message.text)
  }
  process.on('message', onMessage)
  try {
    process.send?.(ASK)
    return await within(promise, ANSWER_MS, () => new Error('the first process does not answer'))
  } finally {
    process.off('message', onMessage)
  }
}

/** In the first process: answers what `metricsOfAllWorkers` asks. */
export function answerForAllWorkers(): void {
  const aggregator = new AggregatorRegistry()
  cluster.on('message', (worker, message: unknown) => {
    if (!isAsk(message)) return
    aggregator
      .clusterMetrics()
      .then((text): Answer => ({ stompRelay: 'metrics', text }))
      .catch((): Answer => ({ stompRelay: 'metrics' }))
      .then((answer) => worker.isConnected() && worker.send(answer))
      // It went away in between.
      .catch(() => undefined)
  })
}

function isAsk(message: unknown): boolean {
  return isObject(message) && message['stompRelay'] === ASK.stompRelay
}

function isAnswer(message: unknown): message is Answer {
  return isObject(message) && message['stompRelay'] === 'metrics'
}

function isObject(message: unknown): message is Readonly<Record<string, unknown>> {
  return typeof message === 'object' && message !== null
}
