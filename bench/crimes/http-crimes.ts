import { Agent, get } from 'node:http'
import { halfOpenSocket } from './half-open.ts'
import type { Crime } from './crime.ts'
import type { Scene } from './scene.ts'

const ASKERS = 32
const ASKING_ADDRESSES = 20
const PATHS = ['/readyz', '/metrics']

/** Questions that no limit of a caller holds for, from 20 addresses, each as soon as the one before is answered. */
export const floodHttp: Crime = {
  name: 'flood-http',
  role: 'user',
  async commit(scene) {
    const agent = new Agent({ keepAlive: true })
    scene.onEnd(() => agent.destroy())
    const lanes = Array.from({ length: ASKERS }, async (_, lane) =>
      scene.repeat(async (count) => {
        const path = PATHS[count % PATHS.length]!
        scene.count(`${path} ${await ask(scene, { agent, path, from: lane % ASKING_ADDRESSES })}`)
      }),
    )
    await Promise.all(lanes)
  },
}

interface Question {
  readonly agent: Agent
  readonly path: string
  readonly from: number
}

/** @returns the status */
async function ask(scene: Scene, { agent, path, from }: Question): Promise<number | undefined> {
  const { host, port } = scene.endpoint
  return new Promise((resolve, reject) => {
    const asked = get({ host, port, path, agent, localAddress: `127.0.3.${from + 1}` }, (response) => {
      response.resume()
      response.once('close', () => resolve(response.statusCode))
    })
    asked.once('error', reject)
  })
}

const HOARDED = 5000
const HOARDING_ADDRESSES = 50
const AT_ONCE = 32
const QUESTION = 'GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n'

/** 5,000 connections that have asked for something once and stay, 100 from each of 50 addresses. */
export const hoardConnections: Crime = {
  name: 'hoard-connections',
  role: 'user',
  async commit(scene) {
    let begun = 0
    const lanes = Array.from({ length: AT_ONCE }, async () =>
      scene.repeat(async () => {
        if (begun >= HOARDED) return scene.wait()
        const localAddress = `127.0.4.${(begun++ % HOARDING_ADDRESSES) + 1}`
        await halfOpenSocket(scene, { text: QUESTION, what: 'kept connections', localAddress })
      }),
    )
    await Promise.all(lanes)
  },
}
