import { IsObject, type Static, type TProperties, type TSchema } from 'typebox'
import type { Validator } from 'typebox/compile'
import { RequestError } from '../errors.ts'

/**
 * Checks the query of a URL against a schema. Numbers are whole and written in digits; parameters
 * that the schema does not know are ignored.
 *
 * @throws RequestError 400 `invalid-query` that names the parameter and what it should be, never its value
 */
export function parseQuery<Type extends TSchema>(
  validator: Validator<TProperties, Type, Static<Type>>,
  query: unknown,
): Static<Type> {
  const value = withNumbers(query, validator.Type())
  if (validator.Check(value)) return value
  const [first] = validator.Errors(value)
  const name = first?.instancePath.slice(1) ?? ''
  throw new RequestError(400, 'invalid-query', `${name || 'the query'} ${first?.message ?? 'is not valid'}`)
}

function withNumbers(query: unknown, schema: TSchema): unknown {
  const isInteger = (name: string): boolean => {
    const field = IsObject(schema) ? schema.properties[name] : undefined
    return field !== undefined && 'type' in field && field.type === 'integer'
  }
  const entries = Object.entries(query ?? {}).map(([name, value]: [string, unknown]) => {
    const isNumber = isInteger(name) && typeof value === 'string' && /^\d{1,15}$/.test(value)
    return [name, isNumber ? Number(value) : value] as const
  })
  return Object.fromEntries(entries)
}
