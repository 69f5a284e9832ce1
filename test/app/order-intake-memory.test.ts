import t from 'tap'
import { useRelay } from '../support/relay.ts'
import { orderIntake } from './order-intake.ts'

await orderIntake(t, await useRelay(t))
