import { CHANNELS, type Channel } from '../../../protocol/channels.ts'
import { exampleOf } from '../../../protocol/example.ts'
import { PAYLOADS } from '../../../protocol/payload-versions.ts'
import type { TSchema } from 'typebox'

/** A document, or a part of one. */
type Json = Readonly<Record<string, unknown>>

const WORDS: Readonly<Record<string, { description: string; examples: readonly string[] }>> = {
  room: { description: 'Name of a room: 1 to 64 of `A-Z a-z 0-9 _ -`', examples: ['lobby'] },
  user: { description: 'Name of a user: 1 to 64 of `A-Z a-z 0-9 _ . @ -`', examples: ['alice'] },
  orderId: { description: 'Id of an order: 1 to 64 of `A-Z a-z 0-9 _ -`', examples: ['1001'] },
  id: { description: 'Id of a message', examples: ['0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e'] },
}

/**
 * The STOMP side (AsyncAPI 3.0), made of the schemas that check what comes. Operations are the relay's: it receives
 * what clients SEND and sends what they get.
 *
 * @param endpoints WebSocket paths
 */
export function asyncApi(version: string, endpoints: readonly string[]): Json {
  const described = CHANNELS.map((channel) => ({ channel, name: nameOf(channel) }))
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'stomp-relay',
      version,
      description:
        'STOMP 1.0, 1.1 and 1.2 over WebSocket. Addresses are STOMP destinations. The HTTP side is described by `/openapi.json`.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: Object.fromEntries(endpoints.map((path, i) => [i === 0 ? 'main' : `also${i}`, serverOf(path)])),
    channels: Object.fromEntries(described.map(({ channel, name }) => [name, channelOf(channel)])),
    operations: Object.fromEntries(described.flatMap(({ channel, name }) => operationsOf(channel, name))),
    components: {
      messages: Object.fromEntries(allMessages().map((schema) => [messageName(schema), messageOf(schema)])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function serverOf(pathname: string): Json {
  return {
    host: '{host}',
    pathname,
    protocol: 'wss',
    protocolVersion: '1.2',
    description: 'STOMP over WebSocket, sub-protocols `v10.stomp`, `v11.stomp`, `v12.stomp`',
    variables: { host: { description: 'Where a node is reached', default: '127.0.0.1:8080' } },
    security: [{ $ref: '#/components/securitySchemes/token' }],
  }
}

function channelOf(channel: Channel): Json {
  const params = [...channel.address.matchAll(/\{(\w+)\}/g)].flatMap(([, word]) => word ?? [])
  return {
    address: channel.address,
    summary: channel.summary,
    messages: Object.fromEntries(messagesOf(channel).map((schema) => [messageName(schema), refTo(schema)])),
    ...(params.length > 0 && {
      parameters: Object.fromEntries(params.map((word) => [word, WORDS[word] ?? {}])),
    }),
  }
}

function operationsOf(channel: Channel, name: string): [string, Json][] {
  const { takes, gives, answers, summary } = channel
  const of = (schemas: readonly TSchema[]): Json => ({
    channel: { $ref: `#/channels/${name}` },
    summary,
    ...(notesOn(channel) !== '' && { description: notesOn(channel) }),
    messages: schemas.map((schema) => ({ $ref: `#/channels/${name}/messages/${messageName(schema)}` })),
  })
  return [
    ...(takes === undefined
      ? []
      : [[`${name}.send`, { action: 'receive', ...of([takes]) }] as [string, Json]]),
    ...(gives === undefined
      ? []
      : [[`${name}.subscribe`, { action: 'send', ...of(gives) }] as [string, Json]]),
    ...(answers === undefined
      ? []
      : [[`${name}.subscribe`, { action: 'send', ...of([answers]) }] as [string, Json]]),
  ]
}

function notesOn({ isStream = false, answers, roles }: Channel): string {
  return [
    ...(isStream ? ['A stream: SUBSCRIBE with `last-event-id` or `history` gets what came before.'] : []),
    ...(answers === undefined ? [] : ['Answered once, directly, to each SUBSCRIBE.']),
    ...(roles === undefined ? [] : [`For the role ${roles.join(' or ')}.`]),
  ].join(' ')
}

function messageOf(schema: TSchema): Json {
  return {
    name: messageName(schema),
    contentType: 'application/json',
    payload: schema,
    examples: [{ payload: exampleOf(schema) }],
  }
}

function refTo(schema: TSchema): Json {
  return { $ref: `#/components/messages/${messageName(schema)}` }
}

function allMessages(): readonly TSchema[] {
  return [...new Set(CHANNELS.flatMap((channel) => messagesOf(channel)))]
}

function messagesOf({ takes, gives = [], answers }: Channel): readonly TSchema[] {
  return [...(takes === undefined ? [] : [takes]), ...gives, ...(answers === undefined ? [] : [answers])]
}

/** As PROTOCOL.md calls it; lists by what they hold. */
function messageName(schema: TSchema): string {
  const items: unknown = Reflect.get(schema, 'items')
  const isList = items !== undefined
  const name = PAYLOADS.find((payload) => payload.schema === (isList ? items : schema))?.name
  if (name === undefined) throw new Error('a channel has a payload that PAYLOADS does not list')
  return isList ? `${name}List` : name
}

/** `/topic/rooms.{room}` is `topic-rooms-room`: ids may hold no slashes. */
function nameOf({ address }: Channel): string {
  return address.replaceAll(/[^\w-]+/g, '-').replaceAll(/^-|-$/g, '')
}
