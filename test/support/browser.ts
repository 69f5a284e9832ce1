import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type Page } from 'playwright-core'
import { findOnPath } from './find-on-path.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** Talks to nobody but the pages it is sent to. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A page of a browser without a window, closed with the test. */
export async function usePage(t: Teardown): Promise<Page> {
  const executablePath = findOnPath('chromium')
  if (executablePath === undefined) throw new Error('chromium is missing: npm test says how to install it')
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS })
  t.teardown(() => browser.close())
  return browser.newPage()
}

/** Serves one HTML page, at an origin of its own. @returns the origin */
export async function servePage(t: Teardown, html: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(html)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
