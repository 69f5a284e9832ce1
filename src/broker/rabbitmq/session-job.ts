import type { Frame, HeaderList } from '../../../protocol/frame.ts'
import type { Deferred } from '../../lib/deferred.ts'

export interface SessionFrame {
  readonly command: Frame['command']
  readonly headers: HeaderList
  readonly body?: Uint8Array
}

export interface RequestOptions {
  /** Whether to wait for the receipt of the last frame. */
  readonly isAnswered: boolean
  /** The transaction it belongs to would do only half its work without it. */
  readonly isOfTransaction?: boolean
  /** Receipts that earlier frames asked for and that come only after these. */
  readonly alsoAwaits?: readonly string[]
  /** Done when its turn has come, before it goes out; the frames behind wait. Must end, and not reject. */
  readonly before?: (() => Promise<void>) | undefined
}

/** Frames that take effect together. */
export interface Job extends RequestOptions {
  readonly frames: readonly SessionFrame[]
  readonly publishes: boolean
  readonly deadline: number
  isReady: boolean
  readonly done: Deferred<void>
}

/** What was sent and waits for its answer. */
export interface Current {
  readonly job: Job
  /** Receipts that are missing. */
  readonly receipts: Set<string>
  /** Frames before it asked for no receipt: an ERROR that comes now may be theirs. */
  readonly isAmbiguous: boolean
  readonly timer: NodeJS.Timeout
}

/** Bytes of the bodies that it holds. */
export function bytesOf(job: Job): number {
  return job.frames.reduce((sum, { body }) => sum + (body?.length ?? 0), 0)
}
