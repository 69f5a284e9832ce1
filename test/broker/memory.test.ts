import t from 'tap'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { brokerContract } from './contract.ts'

await brokerContract(t, 'the in-process broker', async () => ({
  broker: createMemoryBroker({ limits: { redeliveryMs: 5 }, nodeId: 'alone' }),
  nodeId: 'alone',
}))
