import t from 'tap'
import { bytesOf, decodeVectorFiles, decodeVectors, expectedOf, oneByOne, run } from './vectors.ts'

for (const file of decodeVectorFiles()) {
  await t.test(file, async (t) => {
    for (const vector of decodeVectors(file)) {
      await t.test(vector.title, async (t) => {
        const bytes = bytesOf(vector)
        const expected = expectedOf(vector)

        const { heartBeats, ...whole } = run([bytes], vector)
        t.strictSame(whole, expected, 'whole')
        if (vector.heartBeats !== undefined) t.equal(heartBeats, vector.heartBeats, 'heart-beats')

        const { heartBeats: _, ...bytewise } = run(oneByOne(bytes), vector)
        t.strictSame(bytewise, expected, 'byte by byte')

        for (let cut = 1; cut < bytes.length; cut++) {
          const { heartBeats: __, ...halves } = run([bytes.subarray(0, cut), bytes.subarray(cut)], vector)
          if (!isSame(halves, expected)) t.strictSame(halves, expected, `cut after byte ${cut}`)
        }
      })
    }
  })
}

/** One assertion for each cut would bury the report. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
