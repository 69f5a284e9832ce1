import t from 'tap'
import { isOriginAllowed } from '../../src/lib/origin.ts'

function allows(allowed: readonly string[], origin: string | undefined, host = 'relay.example.com'): boolean {
  return isOriginAllowed(origin, { allowed, host })
}

await t.test('lets in whoever is no browser page, and pages of its own', async (t) => {
  t.equal(allows([], undefined), true)
  t.equal(allows([], 'https://relay.example.com'), true)
  t.equal(allows([], 'http://relay.example.com'), true)
  t.equal(allows([], 'http://localhost:8080', 'localhost:8080'), true)
})

await t.test('keeps every other page out where nothing is allowed', async (t) => {
  for (const origin of [
    'https://example.com',
    'https://relay.example.com:8443',
    'https://relay.example.com.evil.com',
    'https://evil-relay.example.com',
    'file://relay.example.com',
    'null',
    '',
  ]) {
    t.equal(allows([], origin), false, origin)
  }
})

await t.test('lets in exactly the origins that are named', async (t) => {
  const allowed = ['https://app.example.com', 'http://localhost:5173']
  t.equal(allows(allowed, 'https://app.example.com'), true)
  t.equal(allows(allowed, 'http://localhost:5173'), true)
  for (const origin of [
    'http://app.example.com',
    'https://app.example.com:444',
    'https://app.example.com.evil.com',
    'https://xapp.example.com',
    'http://localhost:51730',
    'null',
  ]) {
    t.equal(allows(allowed, origin), false, origin)
  }
})

await t.test('lets in the subdomains of a pattern, however deep, and no look-alikes', async (t) => {
  const allowed = ['https://*.example.com']
  t.equal(allows(allowed, 'https://a.example.com', 'other'), true)
  t.equal(allows(allowed, 'https://a.b.example.com', 'other'), true)
  for (const origin of [
    'https://example.com',
    'https://.example.com',
    'https://evil-example.com',
    'https://evilexample.com',
    'https://example.com.evil.com',
    'https://a.example.com.evil.com',
    'https://a.example.com:8443',
    'http://a.example.com',
    'http://longer.example.com',
    'null',
  ]) {
    t.equal(allows(allowed, origin, 'other'), false, origin)
  }
  t.equal(allows(['https://*.example.com:8443'], 'https://a.example.com:8443', 'other'), true)
})

await t.test('lets every page in where everybody is allowed, save one that names no origin', async (t) => {
  t.equal(allows(['*'], 'https://anywhere.example.org'), true)
  t.equal(allows(['*'], 'null'), false, 'sandboxed frames and files, which anybody can make')
})

await t.test('takes nothing for a subdomain that could end the host before the pattern does', async (t) => {
  for (const origin of [
    'https://evil.com/.example.com',
    'https://evil.com:80.example.com',
    'https://evil.com#.example.com',
    'https://evil.com?.example.com',
    'https://evil.com@.example.com',
    'https://evil.com\\.example.com',
    'https://a..example.com',
    'https://-\u0000.example.com',
  ]) {
    t.equal(allows(['https://*.example.com'], origin), false, origin)
  }
})

await t.test('takes a request without Host for no page of its own', async (t) => {
  t.equal(isOriginAllowed('http://undefined', { allowed: [], host: undefined }), false)
})
