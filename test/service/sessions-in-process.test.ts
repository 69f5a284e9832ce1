import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { presence } from './presence.ts'
import { sessions } from './sessions.ts'

t.setTimeout(120_000)

const service = await useServiceInProcess(t)
await sessions(t, service)
await presence(t, service)
