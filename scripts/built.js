import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const built = fileURLToPath(new URL('../dist/src/main.js', import.meta.url))

/** Compiles what is not compiled, or not any more. Plain JavaScript, because it runs before anything is. */
export function ensureBuilt() {
  const canBuild = existsSync(compiler)
  if (existsSync(built) && (!canBuild || newestSource() < statSync(built).mtimeMs)) return
  if (!canBuild) {
    process.stderr.write(
      'stomp-relay: nothing is built, and the build tools were left out of this installation.\n' +
        'Run `npm ci && npm run build` where they are, and bring `dist` along.\n',
    )
    process.exit(1)
  }
  process.stderr.write('stomp-relay: building, once\n')
  // Without the types' check, which is for the tests: a first start should take seconds.
  rmSync(built, { force: true })
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noCheck'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) process.exit(1)
}

/** When a source file was last changed, in milliseconds since 1970; 0 where there are none. */
function newestSource() {
  const files = ['protocol', 'src'].filter((folder) => existsSync(join(root, folder))).flatMap(filesBelow)
  return Math.max(0, ...files.map((file) => statSync(file).mtimeMs))
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}
