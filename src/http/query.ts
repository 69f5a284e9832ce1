import { IsObject, type Static, type TProperties, type TSchema } from 'typebox'
import type { Validator } from 'typebox/compile'
import { RequestError } from '../errors.ts'

/**
 * Checks the query of a URL against a schema. Numbers are whole and written in digits, and what is true or
 * false says so, or is empty where it says nothing; parameters that the schema does not know are ignored.
 *
 * @throws RequestError 400 `invalid-query` that names the parameter and what it should be, never its value
 */
export function parseQuery<Type extends TSchema>(
  validator: Validator<TProperties, Type, Static<Type>>,
  query: unknown,
): Static<Type> {
  const value = withValues(query, validator.Type())
  if (validator.Check(value)) return value
  const [first] = validator.Errors(value)
  const name = first?.instancePath.slice(1) ?? ''
  throw new RequestError(400, 'invalid-query', `${name || 'the query'} ${first?.message ?? 'is not valid'}`)
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
])

function withValues(query: unknown, schema: TSchema): unknown {
  const properties: Readonly<Record<string, TSchema>> = IsObject(schema) ? schema.properties : {}
  const entries = Object.entries(query ?? {}).map(([name, value]: [string, unknown]) => {
    const field = Object.hasOwn(properties, name) ? properties[name] : undefined
    const type: unknown = field === undefined ? undefined : Reflect.get(field, 'type')
    return [name, typeof value === 'string' ? valueOf(value, type) : value] as const
  })
  return Object.fromEntries(entries)
}

function valueOf(text: string, type: unknown): unknown {
  if (type === 'integer' && /^\d{1,15}$/.test(text)) return Number(text)
  if (type === 'boolean') return BOOLEANS.get(text) ?? (text === '' ? undefined : text)
  return text
}
