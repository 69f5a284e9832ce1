export type ToChurnRelay =
  | { readonly type: 'serve'; readonly settings: Readonly<Record<string, string>> }
  | { readonly type: 'census' }

export type FromChurnRelay =
  | { readonly type: 'listening'; readonly address: string }
  | {
      readonly type: 'census'
      readonly heapBytes: number
      /** What keeps or would keep Node running, by kind: timers, sockets. */
      readonly resources: Readonly<Record<string, number>>
    }
  | { readonly type: 'failed'; readonly reason: string }
