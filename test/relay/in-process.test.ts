import t from 'tap'
import { useRelay } from '../support/relay.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { conversation } from './conversation.ts'

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })
await conversation(t, { ...relay, adminToken: await testToken('root', 'admin') })
