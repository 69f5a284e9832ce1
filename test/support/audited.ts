import { testToken } from './token.ts'
import { until } from './until.ts'

/** Resolves when the audit says that this was the last that the administrator has done: it is written a little later. */
export async function audited(node: { address: string }, user: string, about: string): Promise<void> {
  const token = await testToken('auditor', 'admin')
  const url = `${node.address}/api/v1/admin/audit?kind=admin-action&user=${user}&limit=1`
  await until(async () => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    const { items = [] } = (await response.json()) as { items?: { about?: string }[] }
    return items[0]?.about === about
  })
}
