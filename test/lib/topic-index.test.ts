import t from 'tap'
import { compileTopicPattern, isTopicPattern } from '../../protocol/destination.ts'
import { TopicIndex } from '../../src/lib/topic-index.ts'

const SYNTAX = { isPattern: isTopicPattern, compile: compileTopicPattern }

await t.test('finds exact names at once and wildcards by matching', async (t) => {
  const index = new TopicIndex<number>(SYNTAX, 10)
  index.set('a.b', 1)
  t.same(index.matching('a.b'), [], 'no patterns, nothing to match')
  index.set('a.*', 2)
  index.set('#', 3)
  t.equal(index.exact('a.b'), 1)
  t.equal(index.exact('a.*'), undefined)
  t.same([index.get('a.b'), index.get('a.*'), index.get('x')], [1, 2, undefined])
  t.same(index.matching('a.b'), [2, 3])
  t.same(index.matching('c'), [3])
})

await t.test('forgets what it remembered when a pattern comes or goes', async (t) => {
  const index = new TopicIndex<number>(SYNTAX, 10)
  index.set('#', 1)
  t.same(index.matching('a'), [1])
  index.set('*', 2)
  t.same(index.matching('a'), [1, 2])
  index.delete('#')
  t.same(index.matching('a'), [2])
  index.set('a', 3)
  index.delete('a')
  t.equal(index.exact('a'), undefined)
  t.equal(index.rememberedCount, 1, 'exact names change nothing')
})

await t.test('remembers no more topics than it may', async (t) => {
  const index = new TopicIndex<number>(SYNTAX, 3)
  index.set('#', 1)
  let most = 0
  for (let i = 0; i < 100; i += 1) {
    index.matching(`t${i % 7}`)
    most = Math.max(most, index.rememberedCount)
  }
  t.equal(most, 3)
  t.same(index.matching('t1'), [1])
})
