import t from 'tap'
import { Fifo } from '../../src/lib/fifo.ts'

await t.test('gives back what it got, in order, however often it was emptied in between', async (t) => {
  const fifo = new Fifo<{ n: number }>()
  t.equal(fifo.shift(), undefined)
  let taken = 0
  for (let n = 0; n < 5000; n += 1) {
    fifo.push({ n })
    if (n % 3 === 0) continue
    if (fifo.shift()?.n !== taken++) t.fail(`not ${taken - 1}`)
  }
  t.equal(fifo.size, 5000 - taken)
  while (fifo.size > 0) if (fifo.shift()?.n !== taken++) t.fail(`not ${taken - 1}`)
  t.equal(taken, 5000)
  t.equal(fifo.shift(), undefined)
})
