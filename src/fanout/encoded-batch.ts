import type { Version } from '../../protocol/version.ts'
import type { EncodedFrame } from './encoded-frame.ts'
import type { FanoutMessage } from './fanout-message.ts'

// What transports handle, named here because they see this module first.
export type { EncodedFrame }

/** Turns frames into the bytes of one kind of transport, for one write. */
export type Rendering = (frames: readonly EncodedFrame[]) => Uint8Array

/** What subscribers have in common that can be sent the same bytes. */
export interface BatchTraits {
  readonly subscriptionId: string
  readonly version: Version
  /** What `destination` shows; undefined where each message shows its own. */
  readonly shownAs: string | undefined
}

/**
 * Messages that many subscribers get alike, at least one. Whoever asks first has them encoded, and
 * each kind of transport renders them once; everybody writes the same bytes.
 */
export class EncodedBatch {
  readonly messages: readonly FanoutMessage[]
  readonly #traits: BatchTraits
  #frames: readonly EncodedFrame[] | undefined
  readonly #rendered = new Map<Rendering, Uint8Array>()

  constructor(messages: readonly FanoutMessage[], traits: BatchTraits) {
    this.messages = messages
    this.#traits = traits
  }

  /** A frame for each message. */
  get frames(): readonly EncodedFrame[] {
    const { subscriptionId, version, shownAs } = this.#traits
    this.#frames ??= this.messages.map((each) => each.encodeFor(subscriptionId, version, shownAs))
    return this.#frames
  }

  /** @param rendering the same function object each time, or nothing is shared */
  render(rendering: Rendering): Uint8Array {
    let bytes = this.#rendered.get(rendering)
    if (bytes === undefined) {
      bytes = rendering(this.frames)
      this.#rendered.set(rendering, bytes)
    }
    return bytes
  }
}
