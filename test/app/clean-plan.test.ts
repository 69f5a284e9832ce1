import * as fc from 'fast-check'
import t from 'tap'
import { Type, type TSchema } from 'typebox'
import { Check, Clean } from 'typebox/value'
import { cleanPlan } from '../../src/app/clean-plan.ts'

const KEYS = ['a', 'b', 'c', 'constructor']

const leaf = fc.constantFrom<TSchema>(
  Type.String(),
  Type.Integer({ minimum: 0 }),
  Type.Boolean(),
  Type.Null(),
  Type.Unknown(),
  { ...Type.String(), description: 'spread' },
)

const { schema } = fc.letrec<{ schema: TSchema; object: TSchema }>((tie) => ({
  object: fc
    .dictionary(fc.constantFrom(...KEYS), fc.tuple(tie('schema'), fc.boolean()), { maxKeys: 3 })
    .map((parts) =>
      Type.Object(
        Object.fromEntries(
          Object.entries(parts).map(([key, [part, isOptional]]) => [
            key,
            isOptional ? Type.Optional(part) : part,
          ]),
        ),
      ),
    ),
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: leaf, weight: 4 },
    { arbitrary: tie('object'), weight: 4 },
    tie('schema').map((items) => Type.Array(items)),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((each) => Type.Union(each)),
    fc.array(tie('object'), { minLength: 2, maxLength: 2 }).map((each) => Type.Intersect(each)),
    fc.array(tie('schema'), { maxLength: 2 }).map((each) => Type.Tuple(each)),
    tie('schema').map((values) => Type.Record(Type.String(), values)),
    fc
      .tuple(tie('schema'), fc.oneof(fc.boolean(), tie('schema')))
      .map(([part, additionalProperties]) => Type.Object({ a: part }, { additionalProperties })),
    tie('object').map((part): TSchema => Object.assign({}, part)),
  ),
}))

/** JSON, with keys that schemas know and others. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(0, 1, -1, 1.5, 'text', true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS, 'x', 'toString'), tie('value'), { maxKeys: 4 }),
  ),
}))

await t.test('drops what typebox drops, whatever the schema and the value', async (t) => {
  let fitting = 0
  let dropping = 0
  fc.assert(
    fc.property(schema, value, (type, given) => {
      const text = JSON.stringify(given)
      const expected = JSON.stringify(Clean(type, JSON.parse(text)))
      if (Check(type, given)) fitting += 1
      if (expected !== text) dropping += 1
      const clean = cleanPlan(type)
      return JSON.stringify(clean(JSON.parse(text))) === expected
    }),
    { numRuns: 3000 },
  )
  t.comment(`${fitting} fitted, ${dropping} lost something`)
  t.ok(fitting > 100 && dropping > 100, 'both happen')
})

await t.test('looks at own properties only, and leaves none for the prototype', async (t) => {
  const clean = cleanPlan(Type.Object({ a: Type.Object({}) }))
  const cleaned = clean(JSON.parse('{"a":{"__proto__":{"b":1}},"__proto__":{"c":1},"toString":1}'))
  t.equal(JSON.stringify(cleaned), '{"a":{}}')
  t.equal(Reflect.get(cleaned as object, 'c'), undefined)
})
