const OF_THE_RUNNER = /^(_TAPJS|TAP|NODE_OPTIONS$|NODE_V8_COVERAGE$)/

/**
 * The environment without what the test runner adds for its own sake, for programs that tests start.
 * The runner hooks `spawn` and adds its loader again, so it is told as well not to count coverage: the
 * program compiles the same files in another way, and the two cannot be added up.
 */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !OF_THE_RUNNER.test(name))
  return { ...Object.fromEntries(kept), _TAPJS_PROCESSINFO_COVERAGE_: '0' }
}
