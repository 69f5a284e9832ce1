import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { broadcasts } from './broadcasts.ts'

t.setTimeout(240_000)
const service = await useServiceInProcess(t)
await t.test('broadcasts', (t) => broadcasts(t, service))
