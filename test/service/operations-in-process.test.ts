import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { operations } from './operations.ts'

await operations(t, await useServiceInProcess(t))
