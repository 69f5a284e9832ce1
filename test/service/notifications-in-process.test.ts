import t from 'tap'
import { useServiceInProcess } from '../support/service-rig.ts'
import { notifications } from './notifications.ts'

await notifications(t, await useServiceInProcess(t))
