import { fileURLToPath } from 'node:url'

/** The path of a module to fork, in the form this one runs in: `.ts` under tsx, `.js` when compiled. */
export function siblingModule(base: string, name: string): string {
  const extension = base.endsWith('.ts') ? '.ts' : '.js'
  return fileURLToPath(new URL(name + extension, base))
}
