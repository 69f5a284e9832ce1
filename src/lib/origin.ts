/**
 * Whether a page of this origin may connect, by WebSocket or by requests of another origin. Browsers
 * always say where a page comes from; whoever says nothing is no browser, and no page can act in its
 * name.
 *
 * @param allowed exact origins, `https://*.example.com` for every subdomain, or `*`
 * @param host the request's own Host, for the same-origin default
 */
export function isOriginAllowed(
  origin: string | undefined,
  { allowed, host }: { allowed: readonly string[]; host: string | undefined },
): boolean {
  if (origin === undefined) return true
  if (origin === `http://${host}` || origin === `https://${host}`) return true
  return allowed.some((pattern) => matches(pattern, origin))
}

function matches(pattern: string, origin: string): boolean {
  if (pattern === '*' || pattern === origin) return true
  const [scheme, parent] = pattern.split('*')
  if (scheme === undefined || parent === undefined) return false
  const isLongEnough = origin.length > scheme.length + parent.length
  return isLongEnough && origin.startsWith(scheme) && origin.endsWith(parent)
}
