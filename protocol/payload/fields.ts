import { Type } from 'typebox'
import { NAME_PATTERN, USER_NAME_PATTERN } from '../destination.ts'

/** Fields that several payloads share. Lengths are in UTF-16 code units, as JSON Schema validators count here. */

export const USER_NAME = Type.String({
  pattern: USER_NAME_PATTERN,
  description: 'Name of a user, as it was authenticated',
  examples: ['alice'],
})

export const ROOM_NAME = Type.String({
  pattern: NAME_PATTERN,
  description: 'Name of a room',
  examples: ['lobby'],
})

export const ORDER_ID = Type.String({
  pattern: NAME_PATTERN,
  description: 'Id of an order, given by the order service',
  examples: ['1001'],
})

export const CONTENT = Type.String({
  minLength: 1,
  maxLength: 8192,
  description: 'What was written',
  examples: ['Hello, all'],
})

export const CLIENT_ID = Type.String({
  minLength: 1,
  maxLength: 128,
  description:
    'Chosen by the sender. What it sends to the same place with the same `clientId` within 24 hours is a repetition, whatever else it says: nothing new is stored, and the answer is that of the first',
  examples: ['c-7f3a'],
})

export const STORED_ID = Type.String({
  minLength: 1,
  description: 'Given by the server',
  examples: ['0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e'],
})

export const TIMESTAMP = Type.String({
  format: 'date-time',
  description: 'When the server stored it: RFC 3339, UTC',
  examples: ['2026-09-01T08:30:00.000Z'],
})

export const EVENT_ID = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Place of an event in its stream; opaque',
  examples: ['xPH8Z9i61po331e:1'],
})
