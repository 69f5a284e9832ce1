import t from 'tap'
import { Publications } from '../../bench/load/publications.ts'

function publish(publications: Publications, count: number): string[] {
  return Array.from({ length: count }, () => {
    const { publisher, sequence } = publications.next()
    return `${publisher}:${sequence}`
  })
}

await t.test('lets publishers take turns and numbers the messages of each from 1', async (t) => {
  const publications = new Publications(3, false)
  t.same(publish(publications, 5), ['0:1', '1:1', '2:1', '0:2', '1:2'])
  t.same(publications.published, [2, 2, 1])
  t.equal(publications.total, 5)
})

await t.test('counts as unfinished what is not everywhere', async (t) => {
  const publications = new Publications(2, false)
  publish(publications, 5)
  publications.complete(0, 2)
  publications.complete(0, 2)
  t.equal(publications.unfinished, 3)
  publications.complete(0, 3)
  publications.complete(1, 2)
  t.equal(publications.unfinished, 0)
})

await t.test('counts as unfinished what has no receipt, where receipts are asked for', async (t) => {
  const publications = new Publications(1, true)
  publish(publications, 3)
  publications.complete(0, 3)
  t.equal(publications.unfinished, 3)
  t.ok(publications.receipt(0, 2))
  t.ok(publications.receipt(0, 1))
  t.equal(publications.unfinished, 1)
  t.ok(publications.receipt(0, 3))
  t.equal(publications.unfinished, 0)
})

await t.test('knows receipts that come twice or for nothing', async (t) => {
  const publications = new Publications(2, true)
  publish(publications, 2)
  t.ok(publications.receipt(0, 1))
  t.notOk(publications.receipt(0, 1))
  t.notOk(publications.receipt(1, 2))
  t.notOk(publications.receipt(2, 1))
  t.notOk(publications.receipt(1, Number.NaN))
})
