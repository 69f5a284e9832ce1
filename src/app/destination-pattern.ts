/** Returns the variables of a destination that fits, or undefined. */
export type DestinationPattern = (destination: string) => Record<string, string> | undefined

/**
 * Compiles `/app/rooms/{room}/messages`. A variable stands for one non-empty word between slashes,
 * as in Spring's `@DestinationVariable`; what it may be is for the handler to check.
 */
export function compileDestinationPattern(pattern: string): DestinationPattern {
  const words = pattern.split('/')
  const names = words.map((word) => /^\{(\w+)\}$/.exec(word)?.[1])
  return (destination) => {
    const actual = destination.split('/')
    if (actual.length !== words.length) return undefined
    const params: Record<string, string> = {}
    for (const [i, word] of actual.entries()) {
      const name = names[i]
      if (name === undefined ? word !== words[i] : word === '') return undefined
      if (name !== undefined) params[name] = word
    }
    return params
  }
}
