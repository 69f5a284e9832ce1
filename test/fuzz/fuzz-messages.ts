export type ToFuzzedRelay =
  | { readonly type: 'serve'; readonly settings: Readonly<Record<string, string>> }
  | { readonly type: 'census' }

/** What a node did and holds. */
export interface FuzzCensus {
  readonly heapBytes: number
  /** What keeps or would keep Node running, by kind. */
  readonly resources: Readonly<Record<string, number>>
  /** Calls by which a client's frame has an effect beyond its own session. */
  readonly acts: number
  /** Rejections that nobody handled, and what the log calls an error: all of them are faults. */
  readonly faults: readonly string[]
}

export type FromFuzzedRelay =
  | { readonly type: 'listening'; readonly address: string }
  | ({ readonly type: 'census' } & FuzzCensus)
  | { readonly type: 'failed'; readonly reason: string }
