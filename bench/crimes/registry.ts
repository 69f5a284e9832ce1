import { churn } from './churn.ts'
import type { Crime } from './crime.ts'
import { fatalErrors } from './fatal-errors.ts'
import { floodApp, floodConnect, floodSubscribe, floodTopic } from './floods.ts'
import { giantFrames } from './giant-frames.ts'
import { halfOpen } from './half-open.ts'
import { compressionBombs } from './compression-bombs.ts'
import { floodHttp, hoardConnections } from './http-crimes.ts'
import { exhaustSubscriptions } from './exhaust-subscriptions.ts'
import { guessPasscodes } from './guess-passcodes.ts'
import { manyHalfOpen } from './many-half-open.ts'
import { slowConsumer } from './slow-consumer.ts'
import { trickle } from './trickle.ts'

/** In the order they are committed. */
export const CRIMES: readonly Crime[] = [
  fatalErrors,
  slowConsumer,
  floodTopic,
  floodApp,
  floodSubscribe,
  floodConnect,
  halfOpen,
  giantFrames,
  churn,
]

/** What strangers try, from many addresses. In the order they are committed. */
export const ATTACKS: readonly Crime[] = [
  manyHalfOpen,
  hoardConnections,
  floodHttp,
  guessPasscodes,
  floodTopic,
  floodApp,
  exhaustSubscriptions,
  slowConsumer,
  trickle,
  compressionBombs,
]
