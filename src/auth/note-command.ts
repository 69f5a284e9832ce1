import { timeOrderedId } from '../lib/time-ordered-id.ts'
import type { Store } from '../store/store.ts'

/**
 * Writes down in the audit what somebody did on the command line, who needs the database for it and is known by
 * nothing else. Rejects with `store-unavailable`.
 */
export function noteCommand(store: Pick<Store, 'audit'>, node: string, about: string): Promise<void> {
  const at = new Date().toISOString()
  const row = { id: timeOrderedId(), at, kind: 'command', user: '', node, address: '', about, omitted: 0 }
  return store.audit.insert([row])
}
