/** What has to be answered however busy the node is, and however often it is asked. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/livez', '/healthz', '/readyz', '/metrics'])
