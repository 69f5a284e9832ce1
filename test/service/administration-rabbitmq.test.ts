import t from 'tap'
import { useServiceOnRabbitMq } from '../support/service-rig.ts'
import { administration } from './administration.ts'

t.setTimeout(240_000)
const service = await useServiceOnRabbitMq(t)
await t.test('administration', (t) => administration(t, service))
