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

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body))
  } catch (cause) {
    throw new MessageError('invalid-payload', 'the body is not JSON', { cause })
  }
}
