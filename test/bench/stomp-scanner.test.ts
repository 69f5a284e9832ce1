import t from 'tap'
import { bodyMadeAtUs, bodyPublisher, bodySequence, BODY_BYTES, makeBody } from '../../bench/load/body.ts'
import { stompText } from '../../bench/load/client-plan.ts'
import { StompScanner } from '../../bench/load/stomp-scanner.ts'

function message(sequence: number, id = `T_sub-0@@session@@${sequence}`): string {
  return stompText('MESSAGE', ['subscription', 'sub-0', 'message-id', id], makeBody(7, sequence, 1_234_567))
}

function scan(...payloads: readonly string[]): string[] {
  const seen: string[] = []
  const scanner = new StompScanner({
    onStompMessage: (bytes, start, length) =>
      seen.push(
        `${bodyPublisher(bytes, start)} ${bodySequence(bytes, start)} ${bodyMadeAtUs(bytes, start)} ${length}`,
      ),
    onStompOther: (command, text) => seen.push(`${command} ${text.length}`),
  })
  for (const payload of payloads) {
    const bytes = Buffer.from(`before${payload}after`)
    scanner.scan(bytes, 6, bytes.length - 5)
  }
  return seen
}

await t.test('reads publisher, sequence number and time out of a body', async (t) => {
  t.equal(makeBody(7, 42, 1_234_567).length, BODY_BYTES)
  t.same(scan(message(42)), ['7 42 1234567 128'])
})

await t.test('finds every frame of one WebSocket message, line ends between them included', async (t) => {
  const payload = `${message(1)}\n${message(2)}\n\r\n${message(3)}`
  t.same(scan(payload), ['7 1 1234567 128', '7 2 1234567 128', '7 3 1234567 128'])
})

await t.test('finds messages whose header block grows, shrinks or changes', async (t) => {
  const payloads = [
    message(9),
    message(10),
    message(11),
    message(3, 'x'),
    message(4, 'a much longer one than all before'),
  ]
  t.same(
    scan(...payloads, message(5) + message(6, 'y') + message(7)),
    [9, 10, 11, 3, 4, 5, 6, 7].map((sequence) => `7 ${sequence} 1234567 128`),
  )
})

await t.test('tells other frames from messages, with LF and with CRLF', async (t) => {
  t.same(scan('CONNECTED\nversion:1.2\n\n\0\n'), ['CONNECTED 23'])
  t.same(scan('ERROR\r\nmessage:no\r\n\r\nwhy\0', message(1)), ['ERROR 24', '7 1 1234567 128'])
  t.same(scan('\n'), [])
})

await t.test('says when a body is not one of the benchmark', async (t) => {
  t.same(scan(stompText('MESSAGE', ['a', 'b'], 'hello')), ['-1 -1 -1 5'])
})

await t.test('refuses a frame that does not end with its WebSocket message', async (t) => {
  t.throws(() => scan('MESSAGE\na:b\n\nbody'), /does not end/)
  t.throws(() => scan('MESSAGE\na:b\n'), /without an end to its headers/)
})
