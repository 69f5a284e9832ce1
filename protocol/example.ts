import { IsArray, IsObject, type TSchema } from 'typebox'

/**
 * A value that fits the schema: its own first example, or one made of those of its parts. Optional fields are there,
 * so that an example shows all there is.
 */
export function exampleOf(schema: TSchema): unknown {
  const [own] = examplesOf(schema)
  if (own !== undefined) return own
  if (IsObject(schema)) {
    return Object.fromEntries(Object.entries(schema.properties).map(([field, of]) => [field, exampleOf(of)]))
  }
  if (IsArray(schema)) return [exampleOf(schema.items)]
  return undefined
}

/** The examples that a schema itself has. */
export function examplesOf(schema: TSchema): readonly unknown[] {
  const value: unknown = Reflect.get(schema, 'examples')
  return Array.isArray(value) ? value : []
}
