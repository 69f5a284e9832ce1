/** What a frame's work may end with instead of a RECEIPT: that is given later, or was never to be. */
export const NO_RECEIPT = 'no-receipt'

/** How a frame's work ends well: headers for the RECEIPT, where the client asked for one. */
export type Settled = readonly string[] | typeof NO_RECEIPT | void
