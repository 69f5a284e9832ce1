/**
 * The body of a benchmark message, ASCII, 128 bytes: 4 digits of publisher, 10 of sequence number, 16
 * of the time it was made in microseconds, then padding.
 */
export const BODY_BYTES = 128

const PUBLISHER_DIGITS = 4
const SEQUENCE_DIGITS = 10
const TIME_DIGITS = 16
const PADDING = 'x'.repeat(BODY_BYTES - PUBLISHER_DIGITS - SEQUENCE_DIGITS - TIME_DIGITS)

/** Microseconds of the machine's monotonic clock: comparable between processes of one machine. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

export function makeBody(publisher: number, sequence: number, madeAtUs: number): string {
  return (
    String(publisher).padStart(PUBLISHER_DIGITS, '0') +
    String(sequence).padStart(SEQUENCE_DIGITS, '0') +
    String(madeAtUs).padStart(TIME_DIGITS, '0') +
    PADDING
  )
}

/** The publisher of a body that begins at `start`, or -1 where it is not a body of ours. */
export function bodyPublisher(bytes: Uint8Array, start: number): number {
  return digits(bytes, start, PUBLISHER_DIGITS)
}

export function bodySequence(bytes: Uint8Array, start: number): number {
  return digits(bytes, start + PUBLISHER_DIGITS, SEQUENCE_DIGITS)
}

export function bodyMadeAtUs(bytes: Uint8Array, start: number): number {
  return digits(bytes, start + PUBLISHER_DIGITS + SEQUENCE_DIGITS, TIME_DIGITS)
}

function digits(bytes: Uint8Array, start: number, count: number): number {
  let value = 0
  for (let i = start; i < start + count; i++) {
    const digit = (bytes[i] ?? 0) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
