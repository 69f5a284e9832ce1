import type { Fault } from './fault.ts'
import { BROKER_KILLED } from './broker-killed.ts'
import { CLUSTER_HANG } from './cluster-hang.ts'
import { CLUSTER_HOME_KILLED } from './cluster-home-killed.ts'
import { CLUSTER_PARTITION } from './cluster-partition.ts'
import { CLUSTER_PUBLISHER_KILLED } from './cluster-publisher-killed.ts'
import { HALF_OPEN } from './half-open.ts'
import { HOSTS_LOST } from './hosts-lost.ts'
import { LINKS_CUT } from './links-cut.ts'
import { ORDERS_TAKEN } from './orders-taken.ts'
import { QUEUE_CONSUMERS } from './queue-consumers.ts'
import { QUEUE_PRODUCERS } from './queue-producers.ts'

/** All of them, in the order of the table. */
export const FAULTS: readonly Fault[] = [
  LINKS_CUT,
  HALF_OPEN,
  HOSTS_LOST,
  BROKER_KILLED,
  QUEUE_CONSUMERS,
  QUEUE_PRODUCERS,
  ORDERS_TAKEN,
  CLUSTER_HOME_KILLED,
  CLUSTER_PUBLISHER_KILLED,
  CLUSTER_PARTITION,
  CLUSTER_HANG,
]
