import t from 'tap'
import { roomEdges } from './room-edges.ts'
import { useServiceInProcess } from '../support/service-rig.ts'
import { conversations } from './conversations.ts'
import { privateMessages } from './private-messages.ts'
import { publicMessages } from './public-messages.ts'
import { rooms } from './rooms.ts'
import { users } from './users.ts'

t.setTimeout(240_000)
const service = await useServiceInProcess(t)
await publicMessages(t, service)
await privateMessages(t, service)
await conversations(t, service)
await rooms(t, service)
await users(t, service)
await t.test('edges of rooms', (t) => roomEdges(t, service))
