import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { deadLetters } from './dead-letters.ts'
import { orders } from './orders.ts'

t.setTimeout(180_000)

const service = await useServiceInProcess(t)
await t.test('orders', (t) => orders(t, service))
await t.test('dead letters', (t) => deadLetters(t, service))
