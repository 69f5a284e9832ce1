import { setTimeout as delay } from 'node:timers/promises'
import { MessageError } from '../errors.ts'
import { backoffMs } from '../lib/backoff.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { Repetition } from '../lib/repetition.ts'
import { within } from '../lib/within.ts'
import type { NodeReport, PresenceTurns, Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Announcements } from './announcements.ts'
import { Roll } from './roll.ts'
import type { RegisteredSession, RegistryObserver } from './session-registry.ts'

export interface AttendanceOptions {
  readonly store: Pick<Store, 'presence'>
  readonly announcements: Pick<Announcements, 'tell'>
  readonly nodeId: string
  /** Tells this process from all that ever were. At most 100 characters. */
  readonly boot: string
  /** What other nodes are to know of this one, now. */
  readonly report: () => NodeReport
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly times?: Partial<AttendanceTimes>
}

/** In milliseconds. */
export interface AttendanceTimes {
  /** For how long what is to be written is gathered. Default 50. */
  readonly gatherMs: number
  /** A node that has not renewed for so long is dead. Default 10,000. */
  readonly ttlMs: number
  /** Default 2,500. */
  readonly renewMs: number
  /** How often dead nodes are looked for. Default 1,000. */
  readonly buryMs: number
  /** See `RollOptions.lingerMs`. Default 5,000. */
  readonly lingerMs: number
}

const DEFAULT_TIMES: AttendanceTimes = {
  gatherMs: 50,
  ttlMs: 10_000,
  renewMs: 2500,
  buryMs: 1000,
  lingerMs: 5000,
}

/** Sessions and presences of one transaction. */
const BATCH = 500
/** Beyond it who asks is told that the database does not answer. */
const SETTLE_MS = 5000
/** For so long the next burial waits for the broker. */
const TOLD_MS = 1000
const RETRY_MS = 100
const MAX_RETRY_MS = 2000

/**
 * Keeps in the store who is connected to this node and where, in batches, and removes what dead nodes left
 * there. The store decides who was first or last; that is told to everybody. A node whose rows others gave
 * up, or that cannot know what the database has, begins anew with all it has, under a new name as owner.
 */
export class Attendance implements RegistryObserver {
  readonly counters = { batches: 0, lost: 0, buried: 0 }
  readonly #options: AttendanceOptions
  readonly #times: AttendanceTimes
  readonly #roll: Roll
  readonly #renewals: Repetition
  readonly #burials: Repetition
  readonly #closing = new AbortController()
  /** The current owner is the last; undefined where there is none that may write. */
  #owner: string | undefined
  #previous: string | undefined
  #owners = 0
  #registering: Promise<string> | undefined
  #running: Promise<void> | undefined
  #nextPass: Deferred<void> | undefined
  /** Since when the database has always answered, by the monotonic clock. */
  #healthySinceMs = Infinity
  #closed: Promise<void> | undefined

  constructor(options: AttendanceOptions) {
    this.#options = options
    this.#times = { ...DEFAULT_TIMES, ...options.times }
    const { lingerMs, renewMs, buryMs } = this.#times
    this.#roll = new Roll({ lingerMs, onChange: () => this.#kick() })
    this.#renewals = new Repetition({
      run: () => this.#renew(),
      onError: (error) => this.#unwell(error),
      intervalMs: renewMs,
    })
    this.#burials = new Repetition({
      run: (signal) => this.#bury(signal),
      onError: (error) => this.#unwell(error),
      intervalMs: buryMs,
      jitter: 0.1,
    })
  }

  opened({ id, view, peer }: RegisteredSession): void {
    const { name, roles } = view.principal
    const { transport, version = null, remoteAddress } = peer
    const connectedAt = new Date().toISOString()
    this.#roll.open({ id, user: name, roles, transport, version, address: remoteAddress, connectedAt })
    this.#roll.hold({ user: name, room: null })
  }

  closed({ id, view }: RegisteredSession): void {
    this.#roll.close(id)
    this.#roll.release({ user: view.principal.name, room: null })
  }

  entered(user: string, room: string): void {
    this.#roll.hold({ user, room })
  }

  left(user: string, room: string): void {
    this.#roll.release({ user, room })
  }

  /** @throws MessageError `store-unavailable` */
  async start(): Promise<void> {
    await this.#register()
    this.#renewals.start()
    this.#burials.start()
  }

  /**
   * Resolves when what happened on this node by now is in the store.
   * @throws MessageError `store-unavailable`
   */
  async settled(): Promise<void> {
    if (this.#running === undefined && this.#roll.dirtyCount === 0) return
    this.#nextPass ??= deferred()
    const pass = this.#nextPass.promise
    this.#kick()
    await within(pass, SETTLE_MS, () => unavailable())
  }

  /**
   * Gives up what the node has: its sessions at once, its users after as long as they may take to come back
   * elsewhere. Idempotent; never rejects.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    this.#roll.stop()
    await this.#running
    await Promise.all([this.#renewals.close(), this.#burials.close()])
    const { store, log } = this.#options
    const owner = this.#owner ?? this.#previous
    this.#owner = undefined
    if (owner === undefined) return
    await store.presence
      .retire(owner, this.#times.lingerMs)
      .catch((error: unknown) =>
        log.warn({ event: 'presence-not-retired', err: error }, 'others take over what this node had'),
      )
  }

  #kick(): void {
    if (this.#running !== undefined || this.#closing.signal.aborted) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#nextPass !== undefined || this.#roll.dirtyCount > 0) this.#kick()
    })
  }

  /** Until there is nothing left to write. */
  async #run(): Promise<void> {
    await this.#pause(this.#times.gatherMs)
    for (let failures = 0; !this.#closing.signal.aborted;) {
      const pass = this.#nextPass
      this.#nextPass = undefined
      try {
        await this.#writeAll()
        pass?.resolve()
        failures = 0
        if (this.#nextPass === undefined && this.#roll.dirtyCount === 0) return
        await this.#pause(this.#times.gatherMs)
      } catch (error) {
        pass?.promise.catch(() => undefined)
        pass?.reject(unavailable(error))
        this.#unwell(error)
        await this.#pause(backoffMs(failures++, RETRY_MS, MAX_RETRY_MS))
      }
    }
    this.#nextPass?.promise.catch(() => undefined)
    this.#nextPass?.reject(unavailable())
    this.#nextPass = undefined
  }

  /** What is there by now; more may have come by the end. */
  async #writeAll(): Promise<void> {
    for (let left = this.#roll.dirtyCount; left > 0; left -= BATCH) {
      const owner = this.#owner ?? (await this.#register())
      const turns = await this.#write(owner)
      if (turns === null) {
        this.#lose(owner)
        left = this.#roll.dirtyCount + BATCH
      } else {
        void this.#options.announcements.tell(turns)
      }
    }
  }

  async #write(owner: string): Promise<PresenceTurns | null> {
    this.counters.batches += 1
    try {
      return await this.#options.store.presence.change(owner, this.#roll.take(BATCH))
    } catch (error) {
      // It may be in the database, or not.
      this.#lose(owner)
      throw error
    }
  }

  #register(): Promise<string> {
    this.#registering ??= this.#beginOwner().finally(() => {
      this.#registering = undefined
    })
    return this.#registering
  }

  /** The owner before keeps the users for as long as it takes to write them anew. */
  async #beginOwner(): Promise<string> {
    const { store, nodeId, boot, report } = this.#options
    const { ttlMs } = this.#times
    if (this.#previous !== undefined) await store.presence.retire(this.#previous, ttlMs)
    const owner = `${boot}.${++this.#owners}`
    this.#previous = owner
    await store.presence.register({ owner, nodeId, report: report(), ttlMs })
    this.#owner = owner
    this.#well()
    return owner
  }

  #lose(owner: string): void {
    if (this.#owner !== owner) return
    this.#owner = undefined
    this.counters.lost += 1
    this.#roll.forget()
    this.#options.log.warn({ event: 'presence-lost' }, 'the sessions of this node are written anew')
  }

  async #renew(): Promise<void> {
    const owner = this.#owner
    if (owner === undefined) {
      await this.#register()
      return
    }
    const { store, report } = this.#options
    const isKept = await store.presence.renew(owner, { report: report(), ttlMs: this.#times.ttlMs })
    if (isKept) {
      this.#well()
      return
    }
    // Others took this node for dead.
    this.#lose(owner)
    this.#kick()
  }

  /**
   * After the database was away all seem dead that have not come to renew: so this waits until they had the
   * time for it.
   */
  async #bury(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#healthySinceMs < this.#times.ttlMs / 2) return
    const { store, announcements, log } = this.#options
    while (!signal.aborted) {
      const burial = await store.presence.bury(BATCH)
      if (burial === null) return
      this.counters.buried += burial.sessions
      const told = announcements.tell(burial)
      const { nodeId: node, sessions, went } = burial
      log.info({ event: 'buried', node, sessions, went: went.length }, 'removed what a dead node left')
      await Promise.race([told, this.#pause(TOLD_MS)])
    }
  }

  #well(): void {
    if (this.#healthySinceMs === Infinity) this.#healthySinceMs = performance.now()
  }

  #unwell(error: unknown): void {
    const wasWell = this.#healthySinceMs !== Infinity
    this.#healthySinceMs = Infinity
    const fields = { event: 'presence-unwritten', err: error }
    if (wasWell) this.#options.log.warn(fields, 'who is connected cannot be written')
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined)
  }
}

function unavailable(cause?: unknown): MessageError {
  return new MessageError('store-unavailable', 'who is connected cannot be read now', { cause })
}
