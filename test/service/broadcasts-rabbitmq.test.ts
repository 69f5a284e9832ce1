import t from 'tap'
import { useServiceOnRabbitMq } from '../support/service-rig.ts'
import { broadcasts } from './broadcasts.ts'

await broadcasts(t, await useServiceOnRabbitMq(t))
