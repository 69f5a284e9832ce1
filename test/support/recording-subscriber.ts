import { Decoder } from '../../protocol/decoder.ts'
import { header, SERVER_COMMANDS, type Frame } from '../../protocol/frame.ts'
import type { Version } from '../../protocol/version.ts'
import type { EncodedBatch } from '../../src/fanout/encoded-batch.ts'
import type { Subscriber } from '../../src/fanout/subscriber.ts'

const LIMITS = { frameBytes: 1_048_576, headers: 1_000, headerBytes: 65_536 }

/** A subscriber that keeps the batches it was handed. `onDeliver` runs inside `deliver`. */
export class RecordingSubscriber implements Subscriber {
  readonly subscriptionId: string
  readonly version: Version
  readonly batches: EncodedBatch[] = []
  onDeliver: () => void = () => {}

  constructor(subscriptionId = 'sub-0', version: Version = '1.2') {
    this.subscriptionId = subscriptionId
    this.version = version
  }

  deliver(batch: EncodedBatch): void {
    this.batches.push(batch)
    this.onDeliver()
  }

  get frames(): Frame[] {
    return this.batches.flatMap((batch) => batch.frames.flatMap(({ bytes }) => decode(bytes, this.version)))
  }

  get bodies(): string[] {
    return this.frames.map(({ body }) => Buffer.from(body).toString())
  }

  headers(name: string): (string | undefined)[] {
    return this.frames.map(({ headers }) => header(headers, name))
  }
}

function decode(bytes: Uint8Array, version: Version): Frame[] {
  const frames: Frame[] = []
  const sink = { onFrame: (frame: Frame) => void frames.push(frame), onHeartBeat: () => {} }
  const decoder = new Decoder({ limits: LIMITS, commands: SERVER_COMMANDS, sink })
  decoder.version = version
  decoder.decode(bytes)
  return frames
}
