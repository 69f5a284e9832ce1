import type { Command } from './frame.ts'

/** A node of a tree of commands, walked byte by byte: a byte that fits no command is known at once. */
export interface CommandNode {
  readonly next: (CommandNode | undefined)[]
  /** Set where a command is complete. */
  command: Command | undefined
}

const trees = new WeakMap<readonly Command[], CommandNode>()

/** The root for a set of commands. Decoders that pass the same array share one tree. */
export function commandTree(commands: readonly Command[]): CommandNode {
  let root = trees.get(commands)
  if (root === undefined) {
    root = node()
    for (const command of commands) add(root, command)
    trees.set(commands, root)
  }
  return root
}

function add(root: CommandNode, command: Command): void {
  let here = root
  for (let i = 0; i < command.length; i++) {
    const byte = command.charCodeAt(i)
    const next = here.next[byte] ?? node()
    here.next[byte] = next
    here = next
  }
  here.command = command
}

function node(): CommandNode {
  return { next: Array.from<CommandNode | undefined>({ length: 128 }), command: undefined }
}
