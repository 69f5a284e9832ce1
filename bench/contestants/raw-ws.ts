import { ChildChannel } from '../child-channel.ts'
import { siblingModule } from '../sibling-module.ts'
import type { Contestant, RunningContestant } from './contestant.ts'
import type { RawWsSetting } from './raw-ws-server.ts'

type FromServer = { readonly type: 'listening'; readonly port: number } | { readonly type: 'set' }

/** The physical limit: one Node process that writes prepared frames to all sockets. */
export const rawWs: Contestant = {
  name: 'raw-ws',
  notes: [],
  start: async () => {
    const server = ChildChannel.fork<RawWsSetting, FromServer>(
      siblingModule(import.meta.url, './raw-ws-server'),
    )
    const { port } = await server.next('listening')
    return running(server, port)
  },
}

function running(server: ChildChannel<RawWsSetting, FromServer>, port: number): RunningContestant {
  const endpoint = { host: '127.0.0.1', port }
  return {
    pids: { relay: server.pid },
    access: {
      dialect: 'bare',
      subscribeEndpoint: { ...endpoint, path: '/subscribe' },
      publishEndpoint: { ...endpoint, path: '/publish' },
    },
    connectHeaders: async (count) => Promise.resolve(Array.from({ length: count }, () => [])),
    prepare: async ({ framesPerWrite, rawFrameBytes }) => {
      server.send({ type: 'setting', framesPerWrite, frameBytes: rawFrameBytes })
      await server.next('set')
    },
    writeCounts: async () => Promise.resolve(undefined),
    stop: async () => server.stop(),
  }
}
