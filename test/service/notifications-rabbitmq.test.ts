import t from 'tap'
import { useServiceOnRabbitMq } from '../support/service-rig.ts'
import { notifications } from './notifications.ts'

await notifications(t, await useServiceOnRabbitMq(t))
