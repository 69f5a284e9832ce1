import { Parser } from '@asyncapi/parser'
import { Validator as OpenApiValidator } from '@seriousme/openapi-schema-validator'
import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import { Compile } from 'typebox/schema'
import { CHANNELS } from '../../protocol/channels.ts'
import { createApp, type AppParts } from '../../src/app/create-app.ts'
import { registerOpenApi } from '../../src/http/description/openapi.ts'
import { useRelay } from '../support/relay.ts'

interface Media {
  readonly schema: object
  readonly example?: unknown
}

interface Operation {
  readonly tags: readonly string[]
  readonly summary: string
  readonly parameters?: readonly (Media & { name: string })[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { description: string; content?: Record<string, Media> }>>
}

interface OpenApi {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface AsyncApi {
  readonly channels: Readonly<Record<string, { readonly address: string }>>
  readonly components: {
    readonly messages: Readonly<Record<string, { payload: object; examples: { payload: unknown }[] }>>
  }
}

const { address } = await useRelay(t, { STOMP_ENDPOINTS: '/ws,/stomp' })

async function load<T>(path: string): Promise<T> {
  const response = await fetch(address + path)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return (await response.json()) as T
}

const openApi = await load<OpenApi>('/openapi.json')
const asyncApi = await load<AsyncApi>('/asyncapi.json')

await t.test('/openapi.json is OpenAPI 3.1', async (t) => {
  const { valid, errors } = await new OpenApiValidator().validate({ ...openApi })
  t.ok(valid, JSON.stringify(errors))
  t.match(openApi.openapi, /^3\.1/)
})

await t.test('/asyncapi.json is AsyncAPI 3.0', async (t) => {
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApi))
  t.strictSame(
    diagnostics
      .map(({ severity, message }) => `${severity} ${message}`)
      .filter((line) => line.startsWith('0')),
    [],
  )
  t.equal(document?.version(), '3.0.0')
})

const operations = Object.entries(openApi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
)

await t.test('each operation has a summary, a tag, and examples that fit their schemas', async (t) => {
  t.ok(operations.length > 10)
  for (const { name, operation } of operations) {
    t.ok(operation.summary !== '' && operation.tags.length === 1, name)
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      for (const media of Object.values(content)) exampleFits(t, `${name} ${status}`, media)
    }
    for (const media of Object.values(operation.requestBody?.content ?? {})) exampleFits(t, name, media)
  }
})

await t.test('each channel has examples that fit their schemas', async (t) => {
  const messages = Object.entries(asyncApi.components.messages)
  t.ok(messages.length > 10)
  for (const [name, { payload, examples }] of messages) {
    t.ok(examples.length > 0, name)
    for (const example of examples) exampleFits(t, name, { schema: payload, example: example.payload })
  }
})

await t.test('everything that answers under /app is a channel, with the schema that checks it', async (t) => {
  // Registering asks nothing of the parts.
  const parts = { users: {}, store: {}, appender: {}, authenticator: {} } as unknown as AppParts
  const { mappings } = createApp(parts)
  const described = CHANNELS.filter((channel) => channel.address.startsWith('/app/'))
  t.strictSame(
    mappings
      .map(({ pattern, payload }) => `${payload === undefined ? 'SUBSCRIBE' : 'SEND'} ${pattern}`)
      .toSorted(),
    described
      .map(({ address: at, takes }) => `${takes === undefined ? 'SUBSCRIBE' : 'SEND'} ${at}`)
      .toSorted(),
  )
  for (const { pattern, payload } of mappings) {
    const channel = described.find(({ address: at }) => at === pattern)
    t.equal(channel?.takes, payload, `${pattern} is checked by what describes it`)
  }
})

await t.test('a route under /api/ that does not describe itself is refused', async (t) => {
  const server = fastify()
  t.teardown(() => server.close())
  await registerOpenApi(server, '0.0.0')
  const answer = async (): Promise<string> => 'x'
  t.throws(() => server.get('/api/v1/secret', answer), { message: 'GET /api/v1/secret is not described' })
  t.throws(() => server.post('/api/old', { schema: { summary: 'x' } }, answer), /POST \/api\/old/)
  t.throws(() => server.delete('/api/none', { schema: { tags: [] } }, answer), /DELETE \/api\/none/)
  server.get('/api/v1/described', { schema: { tags: ['chat'] } }, answer)
  server.options('/api/v1/described', answer)
  server.get('/elsewhere', answer)
  await server.ready()
})

await t.test('/docs is a page that takes nothing from elsewhere', async (t) => {
  const response = await fetch(`${address}/docs`)
  t.equal(response.status, 200)
  const text = await response.text()
  t.match(text, /<title>stomp-relay/)
  t.notMatch(text, /(src|href)="https?:/)
})

function exampleFits(t: Test, name: string, { schema, example }: Media): void {
  if (example === undefined) {
    t.fail(`${name} has no example`)
    return
  }
  const [isValid, errors] = Compile(schema).Errors(example)
  t.ok(isValid, `${name}: ${JSON.stringify(errors)}`)
}
