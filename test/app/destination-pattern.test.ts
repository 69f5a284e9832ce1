import t from 'tap'
import { compileDestinationPattern } from '../../src/app/destination-pattern.ts'

await t.test('finds the words that its variables stand for', async (t) => {
  const rooms = compileDestinationPattern('/app/rooms/{room}/messages')
  t.same(rooms('/app/rooms/lobby/messages'), { room: 'lobby' })
  t.same(rooms('/app/rooms/a.b-c_d/messages'), { room: 'a.b-c_d' })
  const two = compileDestinationPattern('/app/{a}/x/{b}')
  t.same(two('/app/1/x/2'), { a: '1', b: '2' })
  t.same(compileDestinationPattern('/app/messages')('/app/messages'), {})
})

await t.test('fits only what has the same words, no more and no fewer', async (t) => {
  const rooms = compileDestinationPattern('/app/rooms/{room}/messages')
  for (const destination of [
    '/app/rooms//messages',
    '/app/rooms/messages',
    '/app/rooms/a/b/messages',
    '/app/rooms/a/messages/',
    '/app/rooms/a/Messages',
    'app/rooms/a/messages',
    '//app/rooms/a/messages',
    '',
  ]) {
    t.equal(rooms(destination), undefined, destination)
  }
})

await t.test('knows nothing special but braces', async (t) => {
  const pattern = compileDestinationPattern('/app/a.c/{x}/*/b{y}')
  t.equal(pattern('/app/abc/1/2/b3'), undefined)
  t.same(pattern('/app/a.c/1/*/b{y}'), { x: '1' })
})
