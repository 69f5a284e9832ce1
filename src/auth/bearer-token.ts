/** The token of an `Authorization: Bearer …` value (RFC 6750, section 2.1); other schemes have none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
}
