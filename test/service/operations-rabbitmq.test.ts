import t from 'tap'
import { useServiceOnRabbitMq } from '../support/service-rig.ts'
import { operations } from './operations.ts'

await operations(t, await useServiceOnRabbitMq(t))
