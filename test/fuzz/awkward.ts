import * as fc from 'fast-check'

/** Text that parsers, tables, shells, databases and terminals trip over. */
export const awkwardText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', '0', '-1', '1e999', 'NaN', 'null', 'true', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a', 'tea', 'alice', 'bob', '7') },
  { weight: 2, arbitrary: fc.constantFrom('\0', '\r\n', '\n\n\0', ':', '\\n', '\\', '\\x', '%2F', '%00', '%', '..', '../../etc/passwd', '#', '*', '.', '/', '//', "' OR 1=1 --", '${7*7}', '<script>', '\u001b[2J', '\u009b2J', '\u202e', '\ud800', '\ufffd', 'e\u0301', '\u{1f600}', '99999999999999999999') },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 9000 }).map((length) => 'x'.repeat(length)) },
) // prettier-ignore

/** JSON of every shape, some of it none. */
export const awkwardJson = fc.oneof(
  { weight: 3, arbitrary: fc.json({ maxDepth: 3 }) },
  { weight: 4, arbitrary: fc.dictionary(fc.constantFrom('content', 'receiver', 'clientId', 'replyTo', 'typing', 'eventId', 'orderId', 'userId', 'status', 'items', 'title', 'message', 'type', 'version', '__proto__', 'constructor'), fc.oneof(awkwardText, fc.constant('READY'), fc.jsonValue({ maxDepth: 2 })), { maxKeys: 6 }).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.constantFrom('{"__proto__":{"isAdmin":true},"content":"x"}', '{"content":"a","content":"b"}', '{"content":1e999}', '[', '{"a":', '"\\ud800"', '{"orderId":"7","userId":"bob","status":"PLACED"}') },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 30_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 8000 }).map((width) => `{${Array.from({ length: width }, (_, i) => `"k${i}":0`).join()}}`) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 10_000 }).map((depth) => `{"orderId":"deep","userId":"bob","status":"PLACED","items":${'['.repeat(depth)}${']'.repeat(depth)}}`) },
  { weight: 1, arbitrary: awkwardText },
) // prettier-ignore
