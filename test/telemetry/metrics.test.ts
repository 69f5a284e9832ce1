import t from 'tap'
import { createMetrics, mirrorCounts, mirrorGauge } from '../../src/telemetry/metrics.ts'

await t.test('shows how long commits took and how many writes shared them', async (t) => {
  const metrics = createMetrics()
  metrics.committed({ writes: 3, commitMs: 7 })
  metrics.committed({ writes: 200, commitMs: 700 })
  const text = await metrics.registry.metrics()
  for (const line of [
    'stomp_relay_commit_seconds_bucket{le="0.005"} 0',
    'stomp_relay_commit_seconds_bucket{le="0.01"} 1',
    'stomp_relay_commit_seconds_bucket{le="1"} 2',
    'stomp_relay_commit_batch_writes_bucket{le="2"} 0',
    'stomp_relay_commit_batch_writes_bucket{le="4"} 1',
    'stomp_relay_commit_batch_writes_sum 203',
    'stomp_relay_commit_batch_writes_count 2',
  ]) {
    t.ok(text.split('\n').includes(line), line)
  }
})

await t.test('shows numbers that others keep, those too that have to be asked for', async (t) => {
  const metrics = createMetrics()
  const counts = { relayed: 1, claimed: 0 }
  mirrorCounts(metrics, 'stream', 'what became of events', counts)
  mirrorGauge(metrics, 'now', 'at once', () => counts.relayed)
  mirrorGauge(metrics, 'soon', 'a promise', () => Promise.resolve(counts.relayed * 10))
  mirrorGauge(metrics, 'unknown', 'nobody knows', () => Promise.resolve(NaN))
  counts.relayed = 5
  const lines = (await metrics.registry.metrics()).split('\n')
  t.ok(lines.includes('stomp_relay_stream_events_total{event="relayed"} 5'))
  t.ok(lines.includes('stomp_relay_now 5'))
  t.ok(lines.includes('stomp_relay_soon 50'))
  t.ok(lines.includes('stomp_relay_unknown Nan'))
})
