const OF_THE_RUNNER = /^(_TAPJS|TAP|NODE_OPTIONS$|NODE_V8_COVERAGE$)/

/**
 * The environment without what the test runner adds for its own sake: its loaders slow a program's
 * start down, and count the coverage of other compilations of the same files.
 */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_THE_RUNNER.test(name)))
}
