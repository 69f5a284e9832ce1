import type { TSchema } from 'typebox'
import type { Validator } from 'typebox/compile'
import { MessageError } from '../errors.ts'
import { cleanPlan } from './clean-plan.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a JSON body and checks it against a schema. Fields that the schema does not know are dropped,
 * as Spring's converter ignores them.
 *
 * @throws MessageError `invalid-payload` that names the field and what it should be
 */
export function parsePayload(validator: Validator, schema: TSchema, body: Uint8Array): unknown {
  return checkPayload(validator, schema, parseJson(body))
}

/** As `parsePayload`, for a value that was parsed already. */
export function checkPayload(validator: Validator, schema: TSchema, value: unknown): unknown {
  if (!validator.Check(value)) {
    const [first] = validator.Errors(value)
    const field = first === undefined || first.instancePath === '' ? 'the body' : first.instancePath
    throw new MessageError('invalid-payload', `${field} ${first?.message ?? 'does not fit its schema'}`)
  }
  return cleanPlan(schema)(value)
}

/** What is deeper is nobody's payload, and whatever walks it by calling itself would run out of stack. */
const MAX_DEPTH = 64

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const OPENING: ReadonlySet<number | undefined> = new Set([0x5b, 0x7b])
const CLOSING: ReadonlySet<number | undefined> = new Set([0x5d, 0x7d])

function parseJson(body: Uint8Array): unknown {
  if (isTooDeep(body)) {
    throw new MessageError('invalid-payload', `the body is nested more than ${MAX_DEPTH} levels deep`)
  }
  try {
    return JSON.parse(decoder.decode(body))
  } catch (cause) {
    throw new MessageError('invalid-payload', 'the body is not JSON', { cause })
  }
}

/** Looks at bytes, before anything is built of them. What is no JSON is for the parser to refuse. */
function isTooDeep(body: Uint8Array): boolean {
  // Each level takes two bytes.
  if (body.length <= 2 * MAX_DEPTH) return false
  let depth = 0
  let isText = false
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]
    if (isText && byte === BACKSLASH) i += 1
    else if (byte === QUOTE) isText = !isText
    else if (isText) continue
    else if (CLOSING.has(byte)) depth -= 1
    else if (OPENING.has(byte) && ++depth > MAX_DEPTH) return true
  }
  return false
}
