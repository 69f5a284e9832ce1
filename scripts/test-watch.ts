const SUBTEST = /^ *# Subtest: (.*)$/
const RESULT = /^ *(not )?ok \d+ - (.*?)(?: # .*)?$/

/** Follows the tests of one title through the TAP text of their file (testanything.org, version 14), a line each. */
export class TestWatch {
  readonly #title: RegExp
  #isWithin = false
  #hasBegun = false
  #hasPassed = false
  #hasFailed = false

  /** @param title as in the source: `${…}` stands for anything */
  constructor(title: string) {
    const parts = title
      .split(/\$\{[^}]*\}/)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    this.#title = new RegExp(`^${parts.join('.*')}$`)
  }

  /** Whether such a test began: nothing tells of one that was never reached. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  get hasPassed(): boolean {
    return this.#hasPassed && !this.#hasFailed
  }

  /** Also before such a test has ended, as soon as anything fails in it. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  read(line: string): void {
    const [, begun] = SUBTEST.exec(line) ?? []
    if (begun !== undefined) {
      this.#isWithin ||= this.#isMeant(begun)
      this.#hasBegun ||= this.#isWithin
    }
    const [, not, name] = RESULT.exec(line) ?? []
    if (name === undefined) return
    const isEnd = this.#isMeant(name)
    if (not !== undefined && (this.#isWithin || isEnd)) this.#hasFailed = true
    if (isEnd) {
      this.#isWithin = false
      this.#hasPassed = true
    }
  }

  #isMeant(text: string): boolean {
    return this.#title.test(text.replaceAll(/\\([\\#])/g, '$1'))
  }
}
