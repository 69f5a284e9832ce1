/**
 * The value of a counter in a page of Prometheus text, summed over its labels; undefined where the
 * page does not have it.
 */
export function counterValue(page: string, name: string): number | undefined {
  let sum: number | undefined
  for (const line of page.split('\n')) {
    if (!line.startsWith(name)) continue
    const rest = line.slice(name.length)
    if (!rest.startsWith(' ') && !rest.startsWith('{')) continue
    const value = Number(rest.slice(rest.lastIndexOf(' ') + 1))
    if (!Number.isNaN(value)) sum = (sum ?? 0) + value
  }
  return sum
}
