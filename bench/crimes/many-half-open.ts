import { halfOpenSocket, halfOpenWebSocket } from './half-open.ts'
import type { Crime } from './crime.ts'
import type { Scene } from './scene.ts'

const SOCKETS = 10_000
const ADDRESSES = 100
const AT_ONCE = 32

/**
 * 10,000 sockets that say nothing, stop in the middle of the request, open a WebSocket and say nothing, or
 * stop in the middle of CONNECT: 100 from each of 100 addresses. Those that are cut are opened again.
 */
export const manyHalfOpen: Crime = {
  name: 'half-open-10k',
  role: 'user',
  async commit(scene) {
    let open = 0
    let index = 0
    const lanes = Array.from({ length: AT_ONCE }, async () =>
      scene.repeat(async () => {
        if (open >= SOCKETS) return nextCut(scene, () => open < SOCKETS)
        open += 1
        const how = { localAddress: addressOf(index) }
        const act = KINDS[index++ % KINDS.length]!
        await act(scene, how, () => (open -= 1))
      }),
    )
    await Promise.all(lanes)
  },
}

type How = { readonly localAddress: string }

const KINDS: readonly ((scene: Scene, how: How, onCut: () => void) => Promise<void>)[] = [
  async (scene, how, onCut) => halfOpenSocket(scene, { ...how, text: '', onCut }),
  async (scene, how, onCut) =>
    halfOpenSocket(scene, {
      ...how,
      text: `GET ${scene.endpoint.path} HTTP/1.1\r\nHost: relay\r\nUpgr`,
      onCut,
    }),
  async (scene, how, onCut) => halfOpenWebSocket(scene, { ...how, text: '', onCut }),
  async (scene, how, onCut) => halfOpenWebSocket(scene, { ...how, text: 'CONNECT\naccept-ver', onCut }),
]

/** 127.0.1.1 to 127.0.1.100. */
function addressOf(index: number): string {
  return `127.0.1.${(Math.floor(index / KINDS.length) % ADDRESSES) + 1}`
}

const LOOK_EVERY_MS = 50

async function nextCut(scene: Scene, isThere: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (!isThere() && !scene.isOver) return
      clearInterval(timer)
      resolve()
    }, LOOK_EVERY_MS)
  })
}
