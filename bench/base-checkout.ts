import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildCheckout } from './build-checkout.ts'

const run = promisify(execFile)

export interface BaseCheckout {
  readonly dir: string
  remove(): Promise<void>
}

/**
 * A git worktree of another commit, built, in a temporary folder. It uses the packages installed
 * here, so both sides run on the same ones.
 */
export async function checkOutBase(repository: string, commit: string): Promise<BaseCheckout> {
  const parent = await mkdtemp(join(tmpdir(), 'stomp-relay-base-'))
  const dir = join(parent, 'checkout')
  const remove = async (): Promise<void> => {
    await run('git', ['worktree', 'remove', '--force', dir], { cwd: repository }).catch(() => undefined)
    await rm(parent, { recursive: true, force: true })
  }
  try {
    await run('git', ['worktree', 'add', '--detach', dir, commit], { cwd: repository })
    await symlink(join(repository, 'node_modules'), join(dir, 'node_modules'))
    await buildCheckout(dir)
    return { dir, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
