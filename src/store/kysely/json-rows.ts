/**
 * Rows as one parameter of a statement, for `json_each(?)`: its text is the same however many rows there
 * are, and one text crosses to the database thread faster than hundreds of values.
 *
 * @throws TypeError for values other than texts, integers and null, of which JSON or SQLite would make
 * something else
 */
export function jsonRows(rows: readonly (readonly unknown[])[]): string {
  for (const row of rows) row.forEach(mustBeExact)
  return JSON.stringify(rows)
}

/** The same for `json_to_recordset`, which takes the columns by name. @throws TypeError as `jsonRows` does */
export function toJsonRows(rows: readonly object[]): string {
  for (const row of rows) Object.values(row).forEach(mustBeExact)
  return JSON.stringify(rows)
}

function mustBeExact(value: unknown): void {
  if (typeof value === 'string' || value === null || Number.isSafeInteger(value)) return
  throw new TypeError(`a ${typeof value} cannot be sent as JSON`)
}
