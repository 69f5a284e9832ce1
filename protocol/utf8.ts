interface Encoder {
  encode(text: string): Uint8Array<ArrayBuffer>
  encodeInto(text: string, into: Uint8Array): { readonly written: number }
}
interface Decoder {
  decode(bytes: Uint8Array): string
}

// This folder is compiled with the language's own library only, so that neither Node's nor a browser's
// globals slip in. These two exist in both.
declare const TextDecoder: new (label: 'utf-8', options: { fatal: boolean; ignoreBOM: true }) => Decoder
declare const TextEncoder: new () => Encoder

const encoder = new TextEncoder()
// A byte order mark is data here: without `ignoreBOM` it would vanish.
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const loose = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

// Room for the headers of nearly every frame, at the worst three bytes for a UTF-16 unit.
const scratch = new Uint8Array(16_384)

/**
 * The bytes of a text, in memory that the next call writes over: copy them at once. Allocating is what
 * costs most when a frame is encoded; this saves it for parts of a frame.
 */
export function borrowUtf8(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) return encoder.encode(text)
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}

/** The text, or undefined where the bytes are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** The text, with U+FFFD in place of what is not valid UTF-8. */
export function decodeUtf8Loosely(bytes: Uint8Array): string {
  return loose.decode(bytes)
}
