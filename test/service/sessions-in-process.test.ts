import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { presence } from './presence.ts'
import { sessions } from './sessions.ts'

t.setTimeout(240_000)

const service = await useServiceInProcess(t)
await t.test('sessions', (t) => sessions(t, service))
await t.test('presence', (t) => presence(t, service))
