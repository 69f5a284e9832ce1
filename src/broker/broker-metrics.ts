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
  mirrorGauge(
    metrics,
    'broker_bindings',
    'patterns that this node wants of the broker, or did a moment ago',
    () => broker.status().bindings?.known ?? 0,
  )
  mirrorGauge(
    metrics,
    'broker_bindings_waiting',
    'patterns that the broker has yet to be asked to bind or to unbind',
    () => broker.status().bindings?.waiting ?? 0,
  )
  const labelNames = ['product', 'version'] as const
  const info = { name: 'broker_info', help: 'what the broker says it is, once it was reached', labelNames }
  mirrorInfo(metrics, info, () => broker.status().server)
  mirrorCounts(metrics, 'broker', 'what happened between this node and its broker', counts)
}
