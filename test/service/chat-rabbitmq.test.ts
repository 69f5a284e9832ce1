import t from 'tap'
import { roomEdges } from './room-edges.ts'
import { useServiceOnRabbitMq } from '../support/service-rig.ts'
import { conversations } from './conversations.ts'
import { privateMessages } from './private-messages.ts'
import { publicMessages } from './public-messages.ts'
import { rooms } from './rooms.ts'
import { users } from './users.ts'

t.setTimeout(300_000)
const service = await useServiceOnRabbitMq(t)
await t.test('public messages', (t) => publicMessages(t, service))
await t.test('private messages', (t) => privateMessages(t, service))
await t.test('conversations', (t) => conversations(t, service))
await t.test('rooms', (t) => rooms(t, service))
await t.test('users', (t) => users(t, service))
await t.test('edges of rooms', (t) => roomEdges(t, service))
