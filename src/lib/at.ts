/** What `setTimeout` can wait for: 2^31 - 1 ms, some 24 days. */
const MAX_TIMEOUT_MS = 2_147_483_647

/** Calls back at a time however far away. @returns the function that calls it off */
export function at(timeMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout
  const arm = (): void => {
    const waitMs = timeMs - Date.now()
    timer = waitMs <= 0 ? setTimeout(callback, 0) : setTimeout(arm, Math.min(waitMs, MAX_TIMEOUT_MS))
  }
  arm()
  return () => clearTimeout(timer)
}
