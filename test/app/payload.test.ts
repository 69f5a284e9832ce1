import t from 'tap'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { checkPayload, parsePayload } from '../../src/app/payload.ts'

const SCHEMA = Type.Object({
  name: Type.String({ minLength: 2 }),
  count: Type.Optional(Type.Integer({ minimum: 0 })),
  inner: Type.Optional(Type.Object({ flag: Type.Boolean() })),
  list: Type.Optional(Type.Array(Type.Unknown())),
})
const validator = Compile(SCHEMA)
const parse = (text: string | Uint8Array): unknown => parsePayload(validator, SCHEMA, Buffer.from(text))

await t.test('takes what fits, and drops what the schema does not know', async (t) => {
  t.same(parse('{"name":"ab","count":0,"inner":{"flag":true,"x":1},"y":{"z":1}}'), {
    name: 'ab',
    count: 0,
    inner: { flag: true },
  })
  t.same(parse(' {"name":"ab","list":[1,{"any":"thing"}]} '), { name: 'ab', list: [1, { any: 'thing' }] })
})

await t.test('leaves nothing for the prototype', async (t) => {
  const parsed = parse('{"name":"ab","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}')
  t.same(Object.keys(parsed as object), ['name'])
  t.equal(Reflect.get(parsed as object, 'admin'), undefined)
})

await t.test('names the field that does not fit', async (t) => {
  for (const [text, message] of [
    ['{}', /name/],
    ['{"name":1}', /^\/name .*string/],
    ['{"name":"a"}', /^\/name /],
    ['{"name":"ab","count":-1}', /^\/count /],
    ['{"name":"ab","count":1.5}', /^\/count /],
    ['{"name":"ab","inner":{"flag":"yes"}}', /^\/inner\/flag /],
    ['null', /^the body /],
    ['[]', /^the body /],
    ['"text"', /^the body /],
  ] as const) {
    t.throws(() => parse(text), { code: 'invalid-payload', message }, text)
  }
  t.throws(() => checkPayload(validator, SCHEMA, undefined), {
    code: 'invalid-payload',
    message: /^the body /,
  })
})

await t.test('knows what is not JSON, or not UTF-8', async (t) => {
  for (const bytes of ['', '{', '{"name":"ab"} x', "{'name':'ab'}", Uint8Array.of(0x22, 0xff, 0x22)]) {
    t.throws(() => parse(bytes), { code: 'invalid-payload', message: 'the body is not JSON' })
  }
})

await t.test('refuses what is nested too deeply before it is built', async (t) => {
  const nested = (depth: number): string => `{"name":"ab","list":${'['.repeat(depth)}${']'.repeat(depth)}}`
  t.type(parse(nested(63)), 'object')
  for (const depth of [64, 65, 1000, 30_000]) {
    t.throws(() => parse(nested(depth)), { code: 'invalid-payload', message: /levels deep/ }, String(depth))
  }
  t.throws(() => parse('['.repeat(200)), { code: 'invalid-payload' })
  const brackets = '[{'.repeat(300)
  t.match(parse(`{"name":"${brackets}"}`), { name: brackets }, 'in text they are letters')
  t.match(parse(`{"name":"\\"${brackets}\\\\","list":[]}`), { name: `"${brackets}\\` })
  t.same(parse(`{"name":"ab","list":[${'{},'.repeat(500)}{}]}`), {
    name: 'ab',
    list: Array.from({ length: 501 }, () => ({})),
  })
})

await t.test('takes the last of a repeated field, as every parser of JSON here does', async (t) => {
  t.same(parse('{"name":"first","name":"last"}'), { name: 'last' })
})

await t.test('refuses numbers that are none', async (t) => {
  for (const number of ['1e999', '-1', '0.5']) {
    t.throws(() => parse(`{"name":"ab","count":${number}}`), { code: 'invalid-payload' }, number)
  }
})
