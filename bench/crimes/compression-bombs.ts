import { constants, deflateRawSync } from 'node:zlib'
import { compressedClientFrame } from '../load/ws-frame.ts'
import type { Crime } from './crime.ts'

const AT_ONCE = 4
const COMPRESSION = { extensions: 'permessage-deflate; client_no_context_takeover' }
const MIB = 1024 * 1024

/** Messages of line feeds, the largest that pass for small: 15 MiB before CONNECT, and 200 MiB after it. */
export const compressionBombs: Crime = {
  name: 'compression-bombs',
  role: 'user',
  async commit(scene) {
    const early = bomb(15 * MIB)
    const late = bomb(200 * MIB)
    const lanes = Array.from({ length: AT_ONCE }, async (_, lane) =>
      scene.repeat(async (count) => {
        const isEarly = count % 2 === 0
        const client = isEarly ? await scene.open(COMPRESSION) : await scene.connect(lane, COMPRESSION)
        scene.count(isEarly ? 'bombs of 15 MiB before CONNECT' : 'bombs of 200 MiB')
        client.sendFrames([isEarly ? early : late])
        await client.closed
      }),
    )
    await Promise.all(lanes)
  },
}

/** RFC 7692, section 7.2.1: the end that a flush leaves is left out. */
function bomb(bytes: number): Buffer {
  const deflated = deflateRawSync(Buffer.alloc(bytes, '\n'), {
    finishFlush: constants.Z_SYNC_FLUSH,
    level: 9,
  })
  return compressedClientFrame(deflated.subarray(0, -4))
}
