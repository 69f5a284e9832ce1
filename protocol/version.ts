/** STOMP versions this project speaks, best first. */
export const VERSIONS = ['1.2', '1.1', '1.0'] as const

export type Version = (typeof VERSIONS)[number]

/**
 * The highest version both sides speak, or undefined where there is none. No `accept-version` means
 * 1.0 (STOMP 1.2, "Protocol Negotiation").
 */
export function negotiateVersion(acceptVersion: string | undefined): Version | undefined {
  if (acceptVersion === undefined) return '1.0'
  const offered = new Set(acceptVersion.split(',').map((version) => version.trim()))
  return VERSIONS.find((version) => offered.has(version))
}
