import { chat } from './chat.ts'
import { fanOut, fanOutPaced } from './fan-out.ts'
import { attacks, isolation } from './isolation.ts'
import type { Scenario } from './scenario.ts'

/** In the order they run: a later one may look at an earlier one's rows. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'fan-out': fanOut,
  'fan-out-paced': fanOutPaced,
  chat,
  isolation,
  attacks,
}
