/** How long before its end a session is told that its token runs out (CONTRACT, section 3). */
export const EXPIRY_WARNING_MS = 30_000
