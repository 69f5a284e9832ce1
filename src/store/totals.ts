/** What administrators are shown of the whole. Part of the store port (`store.ts`). */
export interface TotalsReader {
  /** Rows that there are. Counted at each call: ask seldom. */
  count(): Promise<{ readonly rooms: number; readonly deadLetters: number }>
}
