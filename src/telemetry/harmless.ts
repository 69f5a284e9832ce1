/** What a terminal or a viewer of logs would act on, and JSON leaves as it is: DEL, C1, line and direction marks. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const ACTED_ON = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** Credentials by the places they stand in, and tokens by their looks. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"\\]*@/gi, '$1[redacted]@'],
  [/([?&;](?:access_)?token=)[^&\s"\\#]+/gi, '$1[redacted]'],
  [/\b(Bearer|Basic)(\s+)[\w.~+/=-]{8,}/gi, '$1$2[redacted]'],
  // Looked for near the beginning of a word only: at every `eyJ` it would read the whole rest of a long one.
  [/(?<![\w-])([\w-]{0,32}?)eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, '$1[redacted]'],
]

/**
 * A line of the log as it may be shown: whatever others have brought into it, it stays one line of JSON, it
 * moves no cursor, and it holds no credentials. The last guard, for what should never have got this far.
 */
export function harmless(line: string): string {
  let clean = line.replace(ACTED_ON, escaped)
  for (const [secret, censor] of SECRETS) clean = clean.replace(secret, censor)
  return clean
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
}
