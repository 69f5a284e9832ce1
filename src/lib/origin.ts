/**
 * Whether a page of this origin may connect, by WebSocket or by requests of another origin. Browsers
 * always say where a page comes from; whoever says nothing is no browser, and no page can act in its
 * name. `null` is what browsers say of files and of sandboxed frames, which anybody can make: it names
 * nobody and is refused, also where everybody is allowed.
 *
 * @param allowed exact origins, `https://*.example.com` for every subdomain, or `*`
 * @param host the request's own Host, for the same-origin default
 */
export function isOriginAllowed(
  origin: string | undefined,
  { allowed, host }: { allowed: readonly string[]; host: string | undefined },
): boolean {
  if (origin === undefined) return true
  if (origin === 'null') return false
  if (host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)) return true
  return allowed.some((pattern) => matches(pattern, origin))
}

/** What a `*` may stand for: labels of a host name, and nothing that could end the host. */
const LABELS = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i

function matches(pattern: string, origin: string): boolean {
  if (pattern === '*' || pattern === origin) return true
  const [scheme, parent] = pattern.split('*')
  if (scheme === undefined || parent === undefined) return false
  if (!origin.startsWith(scheme) || !origin.endsWith(parent)) return false
  return LABELS.test(origin.slice(scheme.length, -parent.length))
}
