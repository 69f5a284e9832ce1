/** What a server did instead of what the clause says. The message is what the table of differences names. */
export class Deviation extends Error {
  override readonly name = 'Deviation'
}

/** @throws Deviation unless it holds */
export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Deviation(otherwise)
}

/** Compares as JSON. @throws Deviation that shows both */
export function expectSame(what: string, actual: unknown, wanted: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(wanted)]
  if (is !== should) throw new Deviation(`${what} is ${is}, not ${should}`)
}
