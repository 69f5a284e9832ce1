import * as fc from 'fast-check'
import t from 'tap'
import { isReservedName } from '../../protocol/destination.ts'
import { decide, type Action } from '../../src/auth/policy.ts'
import type { Role } from '../../src/auth/principal.ts'
import { MessageError } from '../../src/errors.ts'
import { resolveRoute, type Route } from '../../src/inbound/route.ts'
import { PUBLIC_ROOMS } from '../support/facts.ts'

/** What no spelling may reach, by the role that must not: as a broker sees it, decoded. */
interface Reached {
  readonly kind: 'queue' | 'exchange' | 'key' | 'topic' | 'private' | 'own' | 'user'
  readonly name: string
}

const OWN = new Set(['messages', 'notifications', 'orders', 'operations', 'receipts', 'errors'])

/** Destinations of every kind, plain, as seeds of disguises. */
const PLAIN = [
  '/topic/messages',
  '/topic/rooms.tea',
  '/topic/rooms.tea.typing',
  '/topic/orders',
  '/topic/orders.7',
  '/topic/prices.eur',
  '/topic/stomp-relay.x',
  '/queue/user',
  '/queue/user.dead-letter',
  '/queue/stomp-relay.inbox.n.b.1',
  '/queue/stomp-subscription-x',
  '/amq/queue/user',
  '/reply-queue/user',
  '/reply-queue/stomp-subscription-x',
  '/amq/queue/stomp-relay.inbox.n.b.1',
  '/exchange/amq.topic/orders.7',
  '/exchange/stomp-relay.private/orders.7',
  '/exchange/stomp-relay.user/bob',
  '/exchange/amq.rabbitmq.trace/#',
  '/temp-queue/x',
  '/reply-queue/stomp-relay.inbox',
  '/user/queue/messages',
  '/user/bob/queue/messages',
  '/user/queue/jobs',
]

const INSERTED = [
  '/', '//', '..', '/../', '/./', '%2F', '%2f', '%2E', '%252F', '%25', '%', '%00', '\0', '\r', '\n', ':', '\\',
  '\\n', '\\c', '*', '#', '.*', '.#', '.', ' ', '\t', '\u00a0', '\u200b', '\u202e', '\ufeff', 'e\u0301', '\ud800',
  '\uff0f', '\u2024', 'K', '\u0130', '?', ';', 'x'.repeat(300),
] // prettier-ignore

const disguise = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(60), text: fc.constantFrom(...INSERTED) }),
  fc.record({ kind: fc.constant('encode' as const), at: fc.nat(60), times: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('case' as const), at: fc.nat(60) }),
  fc.record({ kind: fc.constant('drop' as const), at: fc.nat(60) }),
  fc.record({ kind: fc.constant('form' as const), form: fc.constantFrom('NFC', 'NFD', 'NFKC', 'NFKD') }),
)

type Disguise = typeof disguise extends fc.Arbitrary<infer Value> ? Value : never

function wear(text: string, worn: Disguise): string {
  if (worn.kind === 'form') return text.normalize(worn.form)
  const at = worn.at % (text.length + 1)
  const [head, letter, tail] = [text.slice(0, at), text.slice(at, at + 1), text.slice(at + 1)]
  if (worn.kind === 'insert') return head + worn.text + letter + tail
  if (worn.kind === 'drop') return head + tail
  if (worn.kind === 'case') return head + letter.toUpperCase() + tail
  const code = letter.codePointAt(0)
  if (code === undefined || code > 127) return text
  let encoded = `%${code.toString(16).padStart(2, '0')}`
  for (let i = 1; i < worn.times; i += 1) encoded = encoded.replace('%', '%25')
  return head + encoded + tail
}

const destination = fc.oneof(
  fc
    .tuple(fc.constantFrom(...PLAIN), fc.array(disguise, { maxLength: 4 }))
    .map(([plain, worn]) => worn.reduce(wear, plain)),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.constantFrom(...INSERTED, 'topic', 'user', 'queue', 'stomp-relay', 'orders', '7'), { maxLength: 8 }).map((parts) => `/${parts.join('/')}`),
) // prettier-ignore

/**
 * What a destination leads to in the end, worked out apart from the policy: by the relay's own route, and
 * where that is a broker, by each way that one may read it (each part decoded never, once, or until nothing
 * changes; empty parts kept or left out).
 */
function reach(spelt: string): Reached[] {
  let route: Route
  try {
    route = resolveRoute(spelt)
  } catch (error) {
    if (error instanceof MessageError) return []
    throw error
  }
  if (route.kind === 'app') return []
  if (route.kind === 'topic' || route.kind === 'private') {
    return readings(route.topic).map((name) => ({ kind: route.kind, name }))
  }
  if (route.kind === 'own') return [{ kind: 'own', name: route.destination }]
  if (route.kind === 'user') return [{ kind: 'user', name: route.user }]
  return readings(spelt).flatMap((read) => brokerReach(read.split('/').filter((part) => part !== '')))
}

function brokerReach([first = '', ...rest]: readonly string[]): Reached[] {
  if (first === 'exchange') return rest.map((name, i) => ({ kind: i === 0 ? 'exchange' : 'key', name }))
  const names = first === 'amq' ? rest.slice(1) : rest
  return [{ kind: 'queue', name: names.join('/') }]
}

function readings(text: string): string[] {
  const found = [text]
  for (let now = text; ;) {
    const next = now.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
      try {
        return decodeURIComponent(run)
      } catch {
        return run
      }
    })
    if (next === now) return found
    found.push(next)
    now = next
  }
}

const FACTS = { ...PUBLIC_ROOMS, ownsOrder: async (user: string) => user === 'alice' }

async function isAllowed(role: Role, action: Action, spelt: string): Promise<boolean> {
  return decide({ principal: { name: 'mallory', roles: [role] }, action, destination: spelt }, FACTS)
}

const inRoom = /^rooms\.[A-Za-z0-9_-]{1,64}(?:\.(?:typing|read|presence))?$/

/** Why somebody of the role must not have been let through to this; undefined where it is fine. */
function harm(role: Role, action: Action, reached: Reached): string | undefined {
  if (reached.name.split('/').some((part) => isReservedName(part))) return 'a name of the relay'
  return role === 'user' ? harmOfUser(action, reached) : HARM[reached.kind](reached.name, action, role)
}

function harmOfUser(action: Action, { kind, name }: Reached): string | undefined {
  if (action === 'SEND') return 'a user sends to /app alone'
  if (kind === 'own') return OWN.has(name.slice('/user/queue/'.length)) ? undefined : 'no queue of its own'
  const isPublic = ['messages', 'broadcasts', 'presence'].includes(name) || inRoom.test(name)
  return kind === 'topic' && isPublic ? undefined : 'beyond the rows'
}

type Judge = (name: string, action: Action, role: Role) => string | undefined

const HARM: Readonly<Record<Reached['kind'], Judge>> = {
  private: (_, action, role) => (role === 'admin' && action === 'SUBSCRIBE' ? undefined : 'orders of others'),
  topic: (name, action, role) =>
    action === 'SUBSCRIBE' && role !== 'admin' && !/[*#]/.test(name) && isOrders(name)
      ? 'orders of others by another way'
      : undefined,
  user: (_, action) => (action === 'SEND' ? undefined : "somebody else's queue"),
  own: () => undefined,
  key: () => undefined,
  exchange: (name) => (name.startsWith('amq.rabbitmq.') ? "RabbitMQ's own reports" : undefined),
  queue: (name, action) => {
    if (name.startsWith('stomp-subscription-')) return 'what stands behind a subscription'
    return action === 'SUBSCRIBE' && name === 'user' ? "the relay's intake" : undefined
  },
}

function isOrders(name: string): boolean {
  return name === 'orders' || name.startsWith('orders.')
}

for (const role of ['user', 'service', 'admin'] as const) {
  await t.test(`no spelling takes the role ${role} further than the plain name`, async (t) => {
    const property = fc.asyncProperty(destination, fc.constantFrom<Action>('SEND', 'SUBSCRIBE'), async (spelt, action) => {
      if (!(await isAllowed(role, action, spelt))) return
      for (const reached of reach(spelt)) {
        const why = harm(role, action, reached)
        if (why !== undefined) throw new Error(`${action} ${JSON.stringify(spelt)} reaches ${reached.kind} ${reached.name}: ${why}`)
      }
    }) // prettier-ignore
    await t.resolves(fc.assert(property, { numRuns: 20_000, seed: 5 }))
  })
}

await t.test(
  'disguises do get through where the plain name may, so that the property says something',
  async (t) => {
    let passed = 0
    for (const spelt of fc.sample(destination, { numRuns: 5000, seed: 5 })) {
      if (await isAllowed('service', 'SUBSCRIBE', spelt)) passed += 1
    }
    t.ok(passed > 200, `${passed} of 5000`)
  },
)
