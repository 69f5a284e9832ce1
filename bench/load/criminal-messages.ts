import type { CrimeRecord } from '../crimes/scene.ts'
import type { ConnectHeaders } from './client-plan.ts'
import type { WsEndpoint } from './ws-client.ts'

// What the bench and the process of the criminal say to each other over IPC.

export interface CrimeStart {
  readonly type: 'prepare'
  /** Of the registry. */
  readonly crime: string
  readonly endpoint: WsEndpoint
  /** Several names for one who means no good. */
  readonly people: readonly ConnectHeaders[]
}

export type ToCriminal = CrimeStart | { readonly type: 'commit' } | { readonly type: 'desist' }

export type FromCriminal =
  | { readonly type: 'prepared' }
  /** It has done something. */
  | { readonly type: 'begun' }
  | { readonly type: 'record'; readonly record: CrimeRecord }
  | { readonly type: 'failed'; readonly reason: string }
