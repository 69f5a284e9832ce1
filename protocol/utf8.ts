interface Encoder {
  encode(text: string): Uint8Array<ArrayBuffer>
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
