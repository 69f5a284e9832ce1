import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { accounts } from './accounts.ts'
import { feeds } from './feeds.ts'
import { operators } from './operators.ts'

t.setTimeout(240_000)

const service = await useServiceInProcess(t)
await t.test('accounts', (t) => accounts(t, service))
await t.test('feeds', (t) => feeds(t, service))
await t.test('operators', (t) => operators(t, service))
