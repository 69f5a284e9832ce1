/** How long the end of the process may wait for a statement. */
const MAX_WAIT_MS = 5000

// Places in the gate. `sqlite-worker.js`, which cannot load this file, has the same numbers.
const IS_INSIDE = 0
const IS_SHUT = 1

const gates = new Set<Int32Array>()

/**
 * Makes the end of the process wait until no thread is inside libsql, and none goes in again: libsql
 * 0.5 aborts the process (SIGABRT, exit code 134) where Node ends a thread that asks for rows.
 */
export class SqliteExitGate {
  /** What the thread has of it. */
  readonly buffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
  readonly #gate = new Int32Array(this.buffer)

  constructor() {
    if (gates.size === 0) process.on('exit', shutAll)
    gates.add(this.#gate)
  }

  /** For a thread that has ended. Idempotent. */
  remove(): void {
    gates.delete(this.#gate)
    if (gates.size === 0) process.off('exit', shutAll)
  }
}

function shutAll(): void {
  for (const gate of gates) Atomics.store(gate, IS_SHUT, 1)
  for (const gate of gates) Atomics.wait(gate, IS_INSIDE, 1, MAX_WAIT_MS)
}
