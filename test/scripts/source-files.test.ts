import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { hasCode, ROOT, sourceFiles } from '../../scripts/source-files.ts'

function fileWith(t: Test, text: string): string {
  const file = join(t.testdir(), 'sample.ts')
  writeFileSync(file, text)
  return relative(ROOT, file)
}

await t.test('finds the TypeScript files of folders, sorted, and no declarations', async (t) => {
  const files = sourceFiles(['src/lib', 'scripts'])
  t.ok(files.includes('src/lib/within.ts'))
  t.ok(files.includes('scripts/source-files.ts'))
  t.notOk(files.some((file) => file.endsWith('.js') || file.endsWith('.d.ts') || file.startsWith('/')))
  t.same(files, files.toSorted())
  t.throws(() => sourceFiles(['no-such-folder']))
})

await t.test('knows a file of which types alone are left', async (t) => {
  for (const text of [
    'export interface A { readonly b: string }',
    '// only words\nexport type C = string',
    "import type { Frame } from './frame.ts'\nexport type { Frame }",
  ]) {
    t.equal(hasCode(fileWith(t, text)), false, text)
  }
})

await t.test('knows a file that does something when it is loaded', async (t) => {
  for (const text of ['export const one = 1', "import './other.ts'", 'export function f(): void {}', 'f()']) {
    t.equal(hasCode(fileWith(t, text)), true, text)
  }
})
