import t from 'tap'
import { harmless } from '../../src/telemetry/harmless.ts'

await t.test('lets nothing out that a terminal acts on, and stays the same JSON', async (t) => {
  const hostile = 'a\u009b2Jb\u007fc\u2028d\u2029e\u202ef\u2066g\u200f\ufeffh\u001b[31m\r\n'
  const line = `${JSON.stringify({ msg: hostile })}\n`
  const shown = harmless(line)
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  t.notMatch(shown.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e\u2066\u200f\ufeff]/)
  t.equal((JSON.parse(shown) as { msg: string }).msg, hostile)
  t.equal(
    harmless('{"msg":"gr\u00fc\u00df dich, \u4e16\u754c"}'),
    '{"msg":"gr\u00fc\u00df dich, \u4e16\u754c"}',
  )
})

await t.test('lets no credentials out, wherever they stand', async (t) => {
  const secrets = [
    'amqp://relay:hunter2@rabbit:5672/%2F',
    'cannot reach postgres://u:p%40hunter2@db/x, giving up',
    'mysql://u:a:hunter2@h,h2/x',
    'stomps://hunter2@h',
    'GET /ws?access_token=hunter2&x=1',
    '/stream?lastEventId=1&token=hunter2',
    'authorization: Bearer hunter2.hunter2',
    'Basic hunter2hunter2==',
    'eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2',
    'token-eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2',
    'token:\neyJhbGciOiJIUzI1NiJ9.hunter2.hunter2',
  ]
  for (const secret of secrets) t.notMatch(harmless(JSON.stringify({ msg: secret })), 'hunter2', secret)
  for (const plain of [
    'http://127.0.0.1:8080/ws',
    'mail bob@example.com',
    'a token=of love',
    'bearer of news',
  ]) {
    t.equal(harmless(plain), plain)
  }
})

await t.test('takes no longer for a line that almost holds tokens', async (t) => {
  const line = 'eyJ-'.repeat(100_000)
  const begunMs = performance.now()
  t.equal(harmless(line), line)
  // Milliseconds, against half a minute where each letter is read for each that looks like a beginning.
  t.ok(performance.now() - begunMs < 5000)
})
