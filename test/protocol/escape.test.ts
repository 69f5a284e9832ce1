import t from 'tap'
import { dialectOf, escape, escapeName, unescape } from '../../protocol/escape.ts'

await t.test('never escapes CONNECT, STOMP and CONNECTED, nor anything in 1.0', async (t) => {
  for (const command of ['CONNECT', 'STOMP', 'CONNECTED'] as const) {
    t.equal(dialectOf(command, '1.2'), 'plain', command)
  }
  t.equal(dialectOf('SEND', '1.0'), 'plain')
  t.equal(dialectOf('SEND', '1.1'), '1.1')
  t.equal(dialectOf('MESSAGE', '1.2'), '1.2')
})

await t.test('gives the very same text back where nothing is special', async (t) => {
  for (const dialect of ['plain', '1.1', '1.2'] as const) {
    t.equal(escape('/topic/é 1', dialect), '/topic/é 1')
    t.equal(escapeName('name', dialect), 'name')
    t.equal(unescape('value', dialect), 'value')
  }
})

await t.test('puts a space for what a dialect cannot say', async (t) => {
  t.equal(escape('a\0b\rc\nd:e\\f', 'plain'), 'a b c d:e\\f')
  t.equal(escape('a\0b\rc\nd:e\\f', '1.1'), 'a b c\\nd\\ce\\\\f')
  t.equal(escape('a\0b\rc\nd:e\\f', '1.2'), 'a b\\rc\\nd\\ce\\\\f')
  t.equal(escapeName('a:b', 'plain'), 'a b')
  t.equal(escapeName('a:b', '1.1'), 'a\\cb')
})

await t.test('refuses an undefined escape, or keeps it where asked to be lenient', async (t) => {
  t.throws(() => unescape('a\\tb', '1.2'), { code: 'bad-escape' })
  t.throws(() => unescape('a\\r', '1.1'), { code: 'bad-escape' })
  t.throws(() => unescape('a\\', '1.2'), { code: 'bad-escape' })
  t.equal(unescape('a\\tb\\\\n\\', '1.2', true), 'a\\tb\\n\\')
  t.equal(unescape('a\\r', '1.1', true), 'a\\r')
})
