import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['docs', 'examples', 'rabbitmq', 'bench', 'protocol']

const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
]

await t.test('every link of the documentation leads to a file', async (t) => {
  t.ok(pages.includes('README.md') && pages.includes('docs/ARCHITECTURE.md'))
  for (const page of pages) {
    const links = [
      ...readFileSync(join(ROOT, page), 'utf8').matchAll(/(?:\]\(|(?:src|srcset)=")([^)"#\s]+)/g),
    ]
    const files = links.map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link))
    for (const file of files) t.ok(existsSync(join(ROOT, dirname(page), file)), `${page}: ${file}`)
  }
})

await t.test('every folder of src is described in the architecture', async (t) => {
  const text = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8')
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  for (const { name } of folders) t.ok(text.includes(`\`${name}/\``), name)
})
