import { fanOut, fanOutPaced } from './fan-out.ts'
import type { ScenarioContext } from './scenario-context.ts'

/** In the order they run: a later one may look at an earlier one's rows. */
export const SCENARIOS: Readonly<Record<string, (context: ScenarioContext) => Promise<void>>> = {
  'fan-out': fanOut,
  'fan-out-paced': fanOutPaced,
}
