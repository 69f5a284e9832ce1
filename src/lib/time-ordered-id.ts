import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

const RANDOM_BYTES = 16
const POOL_BYTES = 256 * RANDOM_BYTES

const pool = new Uint8Array(POOL_BYTES)
let used = POOL_BYTES
let lastMs = 0
let sequence = 0

/**
 * A UUID version 7, greater than any that this process made before. `v7()` of uuid asks the operating
 * system for each one's random bytes, which costs more than all the rest; this asks once for 256 of them.
 */
export function timeOrderedId(): string {
  const random = nextRandom()
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    // Of 32 bits, so that two thousand million more have room before the clock moves on.
    sequence = new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1
  } else {
    sequence += 1
  }
  return v7({ random, msecs: lastMs, seq: sequence })
}

/** Bytes that nobody was given before. */
function nextRandom(): Uint8Array {
  if (used === POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const from = used
  used += RANDOM_BYTES
  return pool.subarray(from, used)
}
