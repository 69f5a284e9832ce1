import type { Crime } from './crime.ts'

const AT_ONCE = 32
const ADDRESSES = 20

/** Connections as fast as they are taken, from 20 addresses, each with another passcode for the same name. */
export const guessPasscodes: Crime = {
  name: 'guess-passcodes',
  role: 'user',
  async commit(scene) {
    const lanes = Array.from({ length: AT_ONCE }, async (_, lane) => {
      const localAddress = `127.0.2.${(lane % ADDRESSES) + 1}`
      return scene.repeat(async (count) => {
        scene.count('guesses')
        const client = await scene.open({ localAddress })
        await client.connect(['login', 'admin', 'passcode', `guess-${lane}-${count}`])
      })
    })
    await Promise.all(lanes)
  },
}
