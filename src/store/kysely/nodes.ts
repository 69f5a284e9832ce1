import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { NodeRepository } from '../store.ts'
import { guarded } from './failures.ts'
import { checked } from './rows.ts'
import type { StoreConnections } from './store-connections.ts'

export class KyselyNodes implements NodeRepository {
  readonly #connections: Pick<StoreConnections, 'idiom' | 'aside'>

  /** Reads where it writes, so that a lease is seen as soon as it is there. */
  constructor(connections: Pick<StoreConnections, 'idiom' | 'aside'>) {
    this.#connections = connections
  }

  renew(lease: { readonly nodeId: string; readonly boot: string; readonly ttlMs: number }): Promise<boolean> {
    const { idiom, aside } = this.#connections
    const { nodeId, boot, ttlMs } = lease
    const expires: RawBuilder<number> = sql`${idiom.nowMs} + ${ttlMs}`
    return guarded(async () => {
      const { numUpdatedRows } = await aside
        .updateTable('nodes')
        .set({ boot: checked({ boot }).boot, expires_ms: expires })
        .where('node_id', '=', nodeId)
        .where((e) => e.or([e('boot', '=', boot), e('expires_ms', '<=', idiom.nowMs)]))
        .executeTakeFirst()
      if (numUpdatedRows > 0n) return true
      // Of several that find nobody, one inserts.
      const row = { ...checked({ node_id: nodeId, boot }), expires_ms: expires }
      return idiom.insertMissing(aside, 'nodes', row)
    })
  }

  release(lease: { readonly nodeId: string; readonly boot: string }): Promise<void> {
    return guarded(async () => {
      await this.#connections.aside
        .deleteFrom('nodes')
        .where('node_id', '=', lease.nodeId)
        .where('boot', '=', lease.boot)
        .execute()
    })
  }

  living(): Promise<readonly string[]> {
    const { idiom, aside } = this.#connections
    return guarded(async () => {
      const rows = await aside
        .selectFrom('nodes')
        .select('node_id')
        .where('expires_ms', '>', idiom.nowMs)
        .orderBy('node_id')
        .execute()
      return rows.map((row) => row.node_id)
    })
  }
}
