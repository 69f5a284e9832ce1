/** What one environment variable means: its text form, its default, and a sentence for a person. */
export interface Setting<T> {
  readonly env: string
  readonly meaning: string
  readonly fallback: T
  /** Throws an Error whose message completes "VARIABLE must be …". Its text never shows the value of a secret. */
  readonly parse: (text: string) => T
}

/** Rows of a settings table, by the name the code uses. */
export type SettingTable = Readonly<Record<string, Setting<unknown>>>

export type SettingValues<T extends SettingTable> = {
  readonly [K in keyof T]: T[K] extends Setting<infer V> ? V : never
}

export function setting<T>(
  env: string,
  meaning: string,
  fallback: T,
  parse: (text: string) => T,
): Setting<T> {
  return { env, meaning, fallback, parse }
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d{1,15}$/.test(text) || value < min || value > max) {
      throw new Error(`a whole number from ${min} to ${max}`)
    }
    return value
  }
}

export function flag(text: string): boolean {
  if (['1', 'true', 'on', 'yes'].includes(text)) return true
  if (['0', 'false', 'off', 'no'].includes(text)) return false
  throw new Error('on or off')
}

export function matching(pattern: RegExp, claim: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new Error(claim)
    return text
  }
}

/** A comma-separated list whose entries are parsed one by one. */
export function list<T>(parse: (text: string) => T): (text: string) => readonly T[] {
  return (text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .map(parse)
}
