/** What a broker says of itself in `connection.start`. */
export interface Server {
  readonly product: string
  readonly version: string
  /** Of `version`, where it begins like one: major, minor, patch. */
  readonly numbers: VersionNumbers | undefined
  /** What the broker says it can do, by AMQP's names for it. */
  readonly capabilities: ReadonlySet<string>
}

export type VersionNumbers = readonly [major: number, minor: number, patch: number]

const UNKNOWN = 'unknown'
/** It goes into the log, into a metric and into `/readyz`. */
const MAX_TEXT = 64

/** Reads server-properties, whatever they are: what is missing or of another type is `unknown`. */
export function readServer(properties: unknown): Server {
  const version = text(properties, 'version')
  return {
    product: text(properties, 'product'),
    version,
    numbers: numbersOf(version),
    capabilities: capabilitiesOf(properties),
  }
}

/** @returns below 0 where `a` is the older one */
export function compareVersions(a: VersionNumbers, b: VersionNumbers): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}

function numbersOf(version: string): VersionNumbers | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?!\d)/.exec(version)
  if (match === null) return undefined
  const [, major, minor, patch = '0'] = match
  return [Number(major), Number(minor), Number(patch)]
}

function text(properties: unknown, name: string): string {
  const value = field(properties, name)
  if (typeof value !== 'string') return UNKNOWN
  return value.trim().slice(0, MAX_TEXT) || UNKNOWN
}

function capabilitiesOf(properties: unknown): ReadonlySet<string> {
  const table = field(properties, 'capabilities')
  if (typeof table !== 'object' || table === null) return new Set()
  return new Set(Object.entries(table).flatMap(([name, value]) => (value === true ? [name] : [])))
}

function field(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined
}
