import { type Metrics, mirrorCounts, mirrorGauge, mirrorInfo } from '../telemetry/metrics.ts'
import type { Broker } from './broker.ts'

/** Shows the state of any broker, and what its adapter counts. */
export function mirrorBroker(metrics: Metrics, broker: Pick<Broker, 'status'>, counts: object): void {
  mirrorGauge(metrics, 'broker_up', '1 while the broker is reached and takes messages', () =>
    Number(broker.status().isUp),
  )
  mirrorGauge(
    metrics,
    'broker_alarm',
    '1 while the broker takes no messages for want of memory or disk: publishers wait, subscribers go on',
    () => Number(broker.status().alarm !== undefined),
  )
  const labelNames = ['product', 'version'] as const
  const info = { name: 'broker_info', help: 'what the broker says it is, once it was reached', labelNames }
  mirrorInfo(metrics, info, () => broker.status().server)
  mirrorCounts(metrics, 'broker', 'what happened between this node and its broker', counts)
}
