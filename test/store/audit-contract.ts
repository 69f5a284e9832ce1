import type { Test } from 'tap'
import type { AuditRow, Store } from '../../src/store/store.ts'
import { AT } from './rows.ts'

function row(id: string, fields: Partial<AuditRow> = {}): AuditRow {
  return {
    id,
    at: AT,
    kind: 'login',
    user: 'alice',
    node: 'n',
    address: '',
    about: '',
    omitted: 0,
    ...fields,
  }
}

export async function auditContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('keeps what was written down, for readers by kind and user, the newest first', async (t) => {
    const { audit } = await open(t)
    const rows = [
      row('1'),
      row('2', { kind: 'refused', about: 'SUBSCRIBE /topic/\u00e9\ud83d\ude00', address: '::1', omitted: 3 }),
      row('3', { user: 'Alice' }),
      row('4', { user: '', at: '2031-01-31T09:30:00.000Z' }),
    ]
    await audit.insert(rows)
    const ids = async (filter: { kind?: string; user?: string }, before?: string): Promise<string[]> =>
      (await audit.list(filter, { limit: 3, ...(before !== undefined && { before }) })).map(({ id }) => id)
    t.strictSame(await audit.list({}, { limit: 10 }), rows.toReversed())
    t.strictSame(await ids({}), ['4', '3', '2'])
    t.strictSame(await ids({}, '2'), ['1'])
    t.strictSame(await ids({ kind: 'login' }), ['4', '3', '1'])
    t.strictSame(await ids({ user: 'alice' }), ['2', '1'])
    t.strictSame(await ids({ user: 'alice', kind: 'login' }), ['1'])
    t.strictSame(await ids({ kind: 'none' }), [])
  })

  await t.test('writes all of them or none', async (t) => {
    const { audit } = await open(t)
    await audit.insert([row('1')])
    await t.rejects(audit.insert([row('2'), row('1')]), { code: 'store-unavailable' })
    await t.rejects(audit.insert([row('3'), row('4', { about: '\0' })]), { code: 'invalid-payload' })
    t.strictSame((await audit.list({}, { limit: 10 })).length, 1)
  })

  await t.test('removes the old ones and those that are too many, of one kind', async (t) => {
    const { audit } = await open(t)
    const ids = ['1', '2', '3', '4', '5', '6']
    await audit.insert(ids.map((id) => row(id, { at: `203${id}-01-01T00:00:00.000Z` })))
    await audit.insert([row('0', { kind: 'refused', at: '2020-01-01T00:00:00.000Z' })])
    const left = async (): Promise<string> =>
      (await audit.list({}, { limit: 10 })).map(({ id }) => id).join('')
    const trim = (before: string, keep: number, limit = 10): Promise<number> =>
      audit.trim({ kind: 'login', before, keep }, limit)
    t.equal(await trim('2030-01-01T00:00:00.000Z', 6), 0)
    t.equal(await trim('2032-01-01T00:00:00.000Z', 6), 1)
    t.equal(await left(), '654320')
    t.equal(await trim('2030-01-01T00:00:00.000Z', 2, 1), 1, 'no more than asked for')
    t.equal(await trim('2030-01-01T00:00:00.000Z', 2), 2)
    t.equal(await left(), '650')
    t.equal(await trim('2030-01-01T00:00:00.000Z', 2), 0)
  })
}
