import { violation } from './errors.ts'
import type { Command } from './frame.ts'
import type { Version } from './version.ts'

/**
 * How headers are written. CONNECT and CONNECTED are never escaped, so that a 1.0 peer can read them
 * (STOMP 1.2, "Value Encoding"); nor is STOMP, CONNECT's other name. Version 1.0 has no escapes.
 */
export type Dialect = 'plain' | '1.1' | '1.2'

const UNESCAPED: ReadonlySet<Command> = new Set<Command>(['CONNECT', 'STOMP', 'CONNECTED'])

export function dialectOf(command: Command, version: Version): Dialect {
  return version === '1.0' || UNESCAPED.has(command) ? 'plain' : version
}

// What a dialect cannot say becomes a space: a bare line feed would let one header forge another.
const SPECIAL = { plain: /[\0\r\n]/, '1.1': /[\0\r\n:\\]/, '1.2': /[\0\r\n:\\]/ } as const
const EVERY_SPECIAL = { plain: /[\0\r\n]/g, '1.1': /[\0\r\n:\\]/g, '1.2': /[\0\r\n:\\]/g } as const
const ESCAPES: Record<Dialect, Readonly<Record<string, string>>> = {
  plain: {},
  '1.1': { '\n': '\\n', ':': '\\c', '\\': '\\\\' },
  '1.2': { '\r': '\\r', '\n': '\\n', ':': '\\c', '\\': '\\\\' },
}

const MEANINGS: Record<Dialect, Readonly<Record<string, string>>> = {
  plain: {},
  '1.1': { n: '\n', c: ':', '\\': '\\' },
  '1.2': { r: '\r', n: '\n', c: ':', '\\': '\\' },
}

/** A header's value, ready for the wire. */
export function escape(text: string, dialect: Dialect): string {
  if (!SPECIAL[dialect].test(text)) return text
  const escapes = ESCAPES[dialect]
  return text.replace(EVERY_SPECIAL[dialect], (character) => escapes[character] ?? ' ')
}

/** A header's name, ready for the wire. The first colon of a line ends the name, so none may stay. */
export function escapeName(name: string, dialect: Dialect): string {
  const escaped = escape(name, dialect)
  return dialect === 'plain' && escaped.includes(':') ? escaped.replaceAll(':', ' ') : escaped
}

/**
 * What a name or value on the wire means.
 * @param isLenient keep what is no escape as it stands, instead of refusing it
 * @throws ProtocolViolation `bad-escape` (STOMP 1.2: "Undefined escape sequences … MUST be treated as a
 * fatal protocol error")
 */
export function unescape(text: string, dialect: Dialect, isLenient = false): string {
  if (dialect === 'plain') return text
  let at = text.indexOf('\\')
  if (at === -1) return text
  let done = 0
  let out = ''
  for (; at !== -1; at = text.indexOf('\\', done)) {
    const meant = MEANINGS[dialect][text.charAt(at + 1)]
    if (meant === undefined && !isLenient) throw violation('bad-escape')
    out += text.slice(done, at) + (meant ?? text.slice(at, at + 2))
    done = at + 2
  }
  return out + text.slice(done)
}
