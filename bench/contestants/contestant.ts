import type { ClientAccess, ConnectHeaders } from '../load/client-plan.ts'

/** Process ids of the servers, apart, so that their cost can be told apart. */
export interface ServerPids {
  readonly relay?: number
  readonly broker?: number
  readonly database?: number
}

export type Database = 'sqlite' | 'postgres'

/** What a server counts about its own writes to clients. */
export interface WriteCounts {
  readonly frames: number
  readonly writes: number
}

/** What a contestant is told before each round. */
export interface RoundSetting {
  /** Frames per write that the relay had in this row, where it has been measured; 1 otherwise. */
  readonly framesPerWrite: number
  /** Least payload of a `raw-ws` frame; 0 leaves the bare body. */
  readonly rawFrameBytes: number
}

/**
 * One server that is measured. Contestants are started once, stay up and idle while others have their
 * turn, and get all connections anew in each round.
 */
export interface Contestant {
  readonly name: string
  /** Settings that differ from the server's defaults, for the report. */
  readonly notes: readonly string[]
  /** Where what is sent to `/app` is stored; undefined where there is no `/app`. */
  readonly database?: Database
  start(): Promise<RunningContestant>
}

export interface ClientKind {
  /** Number of the first of them. */
  readonly first: number
  readonly role: 'user' | 'service'
}

export interface RunningContestant {
  readonly pids: ServerPids
  readonly access: ClientAccess
  /** RabbitMQ's version, where one is behind it. */
  readonly rabbitmqVersion?: string
  /**
   * Credentials of `count` different clients, who may do whatever a scenario has to do.
   * @param as others than the first ones, or with less rights, where a server makes a difference
   */
  connectHeaders(count: number, as?: ClientKind): Promise<readonly ConnectHeaders[]>
  /** `rabbitmqctl`, where there is a RabbitMQ of the benchmarks' own. */
  ctl?(...args: string[]): Promise<string>
  prepare(setting: RoundSetting): Promise<void>
  /** Undefined where the server does not count them. */
  writeCounts(): Promise<WriteCounts | undefined>
  /** Idempotent. */
  stop(): Promise<void>
}
