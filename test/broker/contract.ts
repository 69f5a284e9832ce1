import type t from 'tap'
import { acknowledging } from './contract/acknowledging.ts'
import { consuming } from './contract/consuming.ts'
import { controlling } from './contract/controlling.ts'
import { ending } from './contract/ending.ts'
import { publishing } from './contract/publishing.ts'
import type { MakeBroker } from './contract/scene.ts'
import { sessions } from './contract/sessions.ts'
import { transactions } from './contract/transactions.ts'

/** What every broker must do: the sentences of `src/broker/broker.ts`, one test each. */
export async function brokerContract(test: typeof t, name: string, makeBroker: MakeBroker): Promise<void> {
  await test.test(`${name} publishes and watches`, async (section) => publishing(section, makeBroker))
  await test.test(`${name} serves clients' sessions`, async (section) => sessions(section, makeBroker))
  await test.test(`${name} keeps acknowledgements`, async (section) => acknowledging(section, makeBroker))
  await test.test(`${name} keeps transactions`, async (section) => transactions(section, makeBroker))
  await test.test(`${name} feeds the intake`, async (section) => consuming(section, makeBroker))
  await test.test(`${name} carries control messages`, async (section) => controlling(section, makeBroker))
  await test.test(`${name} ends`, async (section) => ending(section, makeBroker))
}
