import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { operationBounds } from './operation-bounds.ts'
import { operations } from './operations.ts'
import { roomExports } from './room-exports.ts'

t.setTimeout(240_000)
const service = await useServiceInProcess(t)
await t.test('operations', (t) => operations(t, service))
await t.test('bounds of operations', (t) => operationBounds(t, service))
await t.test('exports of private rooms', (t) => roomExports(t, service))
