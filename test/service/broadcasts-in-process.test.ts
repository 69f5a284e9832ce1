import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { broadcasts } from './broadcasts.ts'

await broadcasts(t, await useServiceInProcess(t))
