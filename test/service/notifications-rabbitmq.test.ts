import t from 'tap'
import { useServiceOnRabbitMq } from '../support/service-rig.ts'
import { notifications } from './notifications.ts'

t.setTimeout(240_000)
const service = await useServiceOnRabbitMq(t)
await t.test('notifications', (t) => notifications(t, service))
