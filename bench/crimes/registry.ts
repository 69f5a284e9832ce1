import { churn } from './churn.ts'
import type { Crime } from './crime.ts'
import { fatalErrors } from './fatal-errors.ts'
import { floodApp, floodConnect, floodSubscribe, floodTopic } from './floods.ts'
import { giantFrames } from './giant-frames.ts'
import { halfOpen } from './half-open.ts'
import { slowConsumer } from './slow-consumer.ts'

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
