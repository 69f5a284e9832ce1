import { setImmediate as turn } from 'node:timers/promises'

/** How long a test asks for what must come true, milliseconds. */
const PATIENCE_MS = 60_000

/**
 * Asks again and again, a turn of the event loop apart, for what no event tells of: what a server
 * has noticed, seen from outside. Rejects when it does not come true within a minute.
 */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error('it never came true')
    await turn()
  }
}

/** The value of one of the server's own metrics, labels included: `stomp_relay_violations_total{code="…"}`. */
export async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? NaN : Number(line.slice(name.length + 1))
}
