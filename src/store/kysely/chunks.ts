export interface ChunkLimits {
  /** Parameters of one statement. */
  readonly maxParameters: number
  /** Length of the texts of one statement, in code units; a single row may be longer. Default: none. */
  readonly maxLength?: number
}

/** Rows of equal columns, in portions that one statement can bear. */
export function* chunksOf<T extends object>(
  rows: readonly T[],
  limits: ChunkLimits,
): Generator<readonly T[]> {
  const maxRows = Math.max(1, Math.floor(limits.maxParameters / Object.keys(rows[0] ?? {}).length))
  const { maxLength = Infinity } = limits
  let from = 0
  let length = 0
  for (const [i, row] of rows.entries()) {
    const own = maxLength === Infinity ? 0 : lengthOf(row)
    if (i > from && (i - from >= maxRows || length + own > maxLength)) {
      yield rows.slice(from, i)
      from = i
      length = 0
    }
    length += own
  }
  if (from < rows.length) yield rows.slice(from)
}

/** Of plain values, in portions of a number. */
export function* portionsOf<T>(values: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < values.length; from += size) yield values.slice(from, from + size)
}

function lengthOf(row: object): number {
  let length = 0
  for (const value of Object.values(row)) {
    if (typeof value === 'string' || value instanceof Uint8Array) length += value.length
  }
  return length
}
