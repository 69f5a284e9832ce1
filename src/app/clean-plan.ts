import { Type, type TSchema } from 'typebox'
import { Clean } from 'typebox/value'

/** Drops what a schema does not know, in place, and answers what is left. The value fits the schema. */
export type CleanPlan = (value: unknown) => unknown

const plans = new WeakMap<TSchema, CleanPlan>()

/**
 * Does what `Clean` of typebox does, worked out once for each schema: `Clean` sorts the schema's unions
 * at each call. Objects, arrays and values without parts have plans; others are left to `Clean`.
 */
export function cleanPlan(schema: TSchema): CleanPlan {
  let plan = plans.get(schema)
  if (plan === undefined) {
    plan = partPlan(schema) ?? ((value) => value)
    plans.set(schema, plan)
  }
  return plan
}

/** Undefined where nothing can be dropped. */
function partPlan(schema: TSchema): CleanPlan | undefined {
  if (Type.IsObject(schema) && !('additionalProperties' in schema)) return objectPlan(schema.properties)
  if (Type.IsArray(schema)) return arrayPlan(schema.items)
  return LEFT_TO_CLEAN.some((is) => is(schema)) ? (value) => Clean(schema, value) : undefined
}

const LEFT_TO_CLEAN: readonly ((schema: unknown) => boolean)[] = [
  Type.IsObject,
  Type.IsUnion,
  Type.IsIntersect,
  Type.IsRecord,
  Type.IsTuple,
  Type.IsRef,
  Type.IsCyclic,
]

function objectPlan(properties: Readonly<Record<string, TSchema>>): CleanPlan {
  const parts = new Map(Object.entries(properties).map(([key, schema]) => [key, partPlan(schema)]))
  return (value) => {
    if (!isRecord(value)) return value
    for (const key of Object.getOwnPropertyNames(value)) {
      const part = parts.get(key)
      if (part !== undefined) value[key] = part(value[key])
      else if (!parts.has(key)) delete value[key]
    }
    return value
  }
}

function arrayPlan(items: TSchema): CleanPlan | undefined {
  const part = partPlan(items)
  return part && ((value) => (Array.isArray(value) ? value.map(part) : value))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
