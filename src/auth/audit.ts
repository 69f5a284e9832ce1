import { AUDIT_KIND, type AuditKind } from '../../protocol/payload/audit.ts'
import { addressKey } from '../lib/address-key.ts'
import { Repetition } from '../lib/repetition.ts'
import { timeOrderedId } from '../lib/time-ordered-id.ts'
import type { AuditRow, Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Accounts } from './accounts.ts'
import { AuditGate } from './audit-gate.ts'
import { isPrincipalName, type Role } from './principal.ts'

export interface AuditOptions {
  readonly store: Pick<Store, 'audit'>
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly nodeId: string
  /** Tells which names somebody bears; without it none is written down of a login that failed. */
  readonly accounts?: Pick<Accounts, 'find'>
  readonly gate?: AuditGate
  /** Rows of each kind that are kept. Default 100,000. */
  readonly keep?: number
  /** Between two rounds of clearing up, milliseconds. Default 60,000. */
  readonly intervalMs?: number
}

/** Something to write down. Texts may hold anything. */
export interface AuditEvent {
  readonly kind: AuditKind
  /** Who did it, where that is known for sure. */
  readonly user?: string
  readonly address?: string
  /** What somebody may do by it, where they got in: of services and administrators it is always written down. */
  readonly roles?: readonly Role[]
  /** What it was done to. Never a secret. */
  readonly about?: string
}

const MAX_TEXT_LENGTH = 255
/** Beyond it rows are lost, and counted; the log has them. */
const MAX_QUEUE = 1000
const BATCH = 200
const RETENTION_MS = 90 * 86_400_000
const DEFAULT_KEEP = 100_000

/** What only administrators can do is always written down. */
const UNBOUNDED: ReadonlySet<AuditKind> = new Set<AuditKind>(['admin-action', 'feed-read'])

/** What a terminal, or who reads line by line, would not show as it is. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * Writes down who got in, who did not, who was refused what, and what administrators did: as log events, and
 * as rows. A flood of refusals fills neither: of each kind only so many a minute are written, fewer of each user or
 * address, and how many were left out is. What cannot be stored is lost, and counted: nobody waits for the audit.
 */
export class Audit {
  readonly counters = { recorded: 0, omitted: 0, lost: 0 }
  readonly #options: AuditOptions
  readonly #gate: AuditGate
  readonly #rounds: Repetition
  /** Names that are looked up: as many as the gate lets through. */
  readonly #lookups = new Set<Promise<void>>()
  #queue: AuditRow[] = []
  #writing: Promise<void> | undefined

  constructor(options: AuditOptions) {
    this.#options = options
    this.#gate = options.gate ?? new AuditGate()
    this.#rounds = new Repetition({
      run: (signal) => this.#clearUp(signal),
      onError: (error) =>
        options.log.warn({ event: 'audit-not-trimmed', err: error }, 'old audit rows cannot be removed'),
      intervalMs: options.intervalMs ?? 60_000,
      jitter: 0.5,
    })
  }

  /** Once only. */
  start(): void {
    this.#rounds.start()
  }

  record(event: AuditEvent): void {
    const omitted = this.#admit(event)
    if (omitted !== undefined) this.#keep(event, omitted)
  }

  /**
   * A login that failed. The name is written down only where somebody bears it: people type passwords where
   * names belong.
   */
  recordFailedLogin(name: string, address: string | undefined): void {
    const from = { kind: 'login-failed' as const, ...(address !== undefined && { address }) }
    const omitted = this.#admit(from)
    if (omitted === undefined) return
    const lookup = this.#isBorne(name).then((isBorne) => {
      this.#keep({ ...from, ...(isBorne && { user: name }) }, omitted)
      this.#lookups.delete(lookup)
    })
    this.#lookups.add(lookup)
  }

  /** Writes what is there, and ends. Idempotent; never rejects. */
  async close(): Promise<void> {
    await this.#rounds.close()
    await this.settled()
  }

  /** Resolves when what was recorded by now is stored, or lost. */
  async settled(): Promise<void> {
    await Promise.all(this.#lookups)
    await this.#writing
  }

  #admit({ kind, user, address, roles = [] }: AuditEvent): number | undefined {
    if (UNBOUNDED.has(kind)) return 0
    const isPrivileged = roles.some((role) => role !== 'user')
    const source = user ?? (address === undefined ? '' : addressKey(address))
    const omitted = this.#gate.admit({ kind, source, isPrivileged })
    if (omitted === undefined) this.counters.omitted += 1
    return omitted
  }

  #keep({ kind, user = '', address = '', about = '' }: AuditEvent, omitted: number): void {
    const { log, nodeId } = this.#options
    const row: AuditRow = {
      id: timeOrderedId(),
      at: new Date().toISOString(),
      kind,
      user: printable(user),
      node: nodeId,
      address: printable(address),
      about: printable(about),
      omitted,
    }
    const said = Object.entries(row).filter(([name, value]) => name !== 'node' && value !== '' && value !== 0)
    log.info({ event: 'audit', ...Object.fromEntries(said) }, 'audit')
    this.counters.recorded += 1
    if (this.#queue.length >= MAX_QUEUE) this.counters.lost += 1
    else this.#queue.push(row)
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  async #write(): Promise<void> {
    const { store, log } = this.#options
    // In another turn: what happens at once is written at once.
    await Promise.resolve()
    for (let rows = this.#next(); rows.length > 0; rows = this.#next()) {
      try {
        await store.audit.insert(rows)
      } catch (error) {
        this.counters.lost += rows.length
        log.warn({ event: 'audit-unwritten', count: rows.length, err: error }, 'audit rows are lost')
      }
    }
  }

  #next(): readonly AuditRow[] {
    return this.#queue.splice(0, BATCH)
  }

  async #isBorne(name: string): Promise<boolean> {
    const { accounts } = this.#options
    if (accounts === undefined || !isPrincipalName(name)) return false
    const found = await accounts.find(name).catch(() => undefined)
    return found !== undefined
  }

  /** Says how many were left out, once a flood is over, and removes what is old or too much. */
  async #clearUp(signal: AbortSignal): Promise<void> {
    for (const [kind, omitted] of this.#gate.omitted()) this.#keep({ kind, about: 'left out' }, omitted)
    const { store, keep = DEFAULT_KEEP } = this.#options
    const before = new Date(Date.now() - RETENTION_MS).toISOString()
    for (const kind of AUDIT_KIND.enum) {
      const trim = (): Promise<number> => store.audit.trim({ kind, before, keep }, BATCH)
      while (!signal.aborted && (await trim()) >= BATCH);
    }
  }
}

function printable(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH).replaceAll(UNPRINTABLE, '?')
}
