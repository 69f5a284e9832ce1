import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'

/** What this node counts, in Prometheus' form. One object a node, so that tests do not share numbers. */
export interface Metrics {
  readonly registry: Registry
  readonly connections: Gauge
  readonly sessions: Gauge
  readonly connectionsRefused: Counter<'reason'>
  /** What is counted for every frame: plain numbers, since a counter object costs more than the frame. */
  readonly hot: { framesReceived: number; framesSent: number; socketWrites: number }
  readonly refusals: Counter<'code'>
  readonly violations: Counter<'code'>
  readonly slowClients: Counter
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []): Counter<L> =>
    new Counter({ name: `stomp_relay_${name}`, help, labelNames, registers })
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `stomp_relay_${name}`, help, registers })
  const hot = { framesReceived: 0, framesSent: 0, socketWrites: 0 }
  const mirror = (name: string, help: string, read: () => number): Counter =>
    new Counter({
      name: `stomp_relay_${name}`,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  mirror('frames_received_total', 'STOMP frames received', () => hot.framesReceived)
  mirror('frames_sent_total', 'STOMP frames sent', () => hot.framesSent)
  mirror('socket_writes_total', 'writes to client sockets', () => hot.socketWrites)
  return {
    registry,
    connections: gauge('connections', 'WebSocket connections open'),
    sessions: gauge('sessions', 'STOMP sessions connected'),
    connectionsRefused: counter('connections_refused_total', 'upgrades refused', ['reason']),
    hot,
    refusals: counter('refusals_total', 'messages refused while the session lives on', ['code']),
    violations: counter('violations_total', 'protocol violations that ended a session', ['code']),
    slowClients: counter('slow_clients_total', 'clients closed because they did not read'),
  }
}
