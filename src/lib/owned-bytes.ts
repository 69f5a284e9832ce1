/**
 * Bytes that may be kept: copied where they are a small part of what they are a view on, since the
 * view would keep the whole (one byte of a WebSocket message of 256 KiB keeps the 256 KiB).
 *
 * For what outlives the turn it arrived in. What is kept holds at most twice its own size.
 */
export function ownedBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.byteLength ? new Uint8Array(bytes) : bytes
}
