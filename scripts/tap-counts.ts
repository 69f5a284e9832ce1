/** What a TAP run did: tests are the named blocks of each file, not single assertions. */
export interface TapCounts {
  readonly passed: number
  readonly failed: readonly string[]
  /** Skipped and to-do tests, which count as failures here. */
  readonly skipped: readonly string[]
}

const FILE = /^(not )?ok \d+ - (.*?)(?: # .*)?$/
const TEST = /^ {4}(not )?ok \d+ - (.*?)(?: # .*)?$/
const SKIPPED = /^ *(?:not )?ok \d+.*# (?:SKIP|TODO)/i

/** Counts the tests in TAP text (testanything.org, version 14) as tap writes it: a subtest for each file. */
export function countTap(text: string): TapCounts {
  let passed = 0
  const failed: string[] = []
  const skipped: string[] = []
  let failedBefore = 0
  for (const line of text.split('\n')) {
    const test = TEST.exec(line)
    const file = FILE.exec(line)
    if (SKIPPED.test(line)) skipped.push(line.trim())
    else if (test !== null && test[1] === undefined) passed++
    else if (test !== null) failed.push(test[2] ?? '')
    else if (file !== null) {
      // A file that fails without a failed test ended badly by itself.
      if (file[1] !== undefined && failed.length === failedBefore) failed.push(file[2] ?? '')
      failedBefore = failed.length
    }
  }
  return { passed, failed, skipped }
}
