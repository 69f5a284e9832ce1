import t from 'tap'
import { useRelay } from '../support/relay.ts'
import { TEST_SECRET } from '../support/token.ts'
import { everyPath } from './every-path.ts'
import { orderPassedOn } from './order-passed-on.ts'

const node = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET, LIMIT_SUBSCRIPTIONS: '1000' })
await t.test('every way to data ends where the policy says', (t) => everyPath(t, node))
await t.test('an order that is passed on takes its readers along', (t) => orderPassedOn(t, node, node))
