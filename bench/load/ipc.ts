/** Sends to the process that forked this one. */
export function tellParent(message: object): void {
  // Without a callback a parent that is gone ends this process with an error; `disconnect` ends it in peace.
  process.send?.(message, undefined, undefined, () => undefined)
}

/** Calls `handle` for each message of the parent; ends this process when the parent is gone. */
// The parent is our own code, so the caller's word for what it sends is taken.
// eslint-disable-next-line typescript/no-unnecessary-type-parameters
export function onParent<M>(
  handle: (message: M) => Promise<void> | void,
  onFault: (reason: string) => void,
): void {
  process.on('disconnect', () => {
    // A load generator has nothing to put in order, and its sockets must not keep it alive.
    process.exit(0)
  })
  process.on('message', (message: M) => {
    Promise.resolve(message)
      .then(handle)
      .catch((error: unknown) => {
        onFault(error instanceof Error ? error.message : String(error))
      })
  })
}

/** User and system time of this process so far, in microseconds. */
export function ownCpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
