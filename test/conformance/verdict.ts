import type { Version } from '../../protocol/version.ts'
import type { Outcome } from './run-cases.ts'

/** Something that a server is known to do otherwise, in some cases, for one reason. */
export interface Difference {
  /** Why; for the table in docs/conformance.md. */
  readonly reason: string
  /** A part of what the case says when it differs: another deviation is not this one. */
  readonly shows: string
  /** Ids of cases. */
  readonly cases: readonly string[]
  /** Where not all versions of the case differ. */
  readonly versions?: readonly Version[]
}

/** The difference that speaks of a case in a version. */
export function differenceOf(
  { id, version }: Pick<Outcome, 'id' | 'version'>,
  differences: readonly Difference[],
): Difference | undefined {
  return differences.find(
    ({ cases, versions }) => cases.includes(id) && (versions?.includes(version) ?? true),
  )
}

/** What is wrong with an outcome, given the differences that are known; undefined where nothing is. */
export function faultOf(outcome: Outcome, differences: readonly Difference[]): string | undefined {
  const { deviation } = outcome
  const known = differenceOf(outcome, differences)
  if (known === undefined) return deviation
  if (deviation === undefined) return `is listed as a difference (${known.shows}), but there is none`
  if (!deviation.includes(known.shows)) return `differs otherwise than listed: ${deviation}`
  return undefined
}

/** Listed differences that no outcome speaks of: a wrong id, a wrong version, or nothing the server offers. */
export function staleDifferences(
  outcomes: readonly Outcome[],
  differences: readonly Difference[],
): readonly string[] {
  return differences.flatMap(({ cases, versions }) =>
    cases.flatMap((id) => {
      const seen = outcomes.filter((outcome) => outcome.id === id).map(({ version }) => version)
      const missing = (versions ?? []).filter((version) => !seen.includes(version))
      return seen.length === 0 ? [id] : missing.map((version) => `${id} in ${version}`)
    }),
  )
}
