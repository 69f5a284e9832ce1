import { SINCE_1_1, type ConformanceCase } from '../conformance-case.ts'
import { expect, expectSame } from '../deviation.ts'
import { rawHeader } from '../wire.ts'

const OFFERS = { '1.0': '1.0', '1.1': '1.0,1.1', '1.2': '1.0,1.1,1.2' } as const

/** How a session begins. */
export const connecting: readonly ConformanceCase[] = [
  {
    id: 'connect-version',
    title: 'speaks the version that the client names',
    clause: 'STOMP 1.2, Protocol Negotiation',
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      peer.send('CONNECT', trial.connectHeaders())
      const connected = await peer.next('CONNECTED')
      expectSame('version', rawHeader(connected, 'version'), trial.version)
    },
  },
  {
    id: 'connect-highest',
    title: 'speaks the highest version that both know, whatever else is named',
    clause: 'STOMP 1.2, Protocol Negotiation',
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      const [, , ...rest] = trial.connectHeaders()
      peer.send('CONNECT', ['accept-version', `${OFFERS[trial.version]},9.9`, ...rest])
      expectSame('version', rawHeader(await peer.next('CONNECTED'), 'version'), trial.version)
    },
  },
  {
    id: 'connect-no-version',
    title: 'speaks 1.0 with a client that names no version',
    clause: 'STOMP 1.2, Protocol Negotiation',
    versions: ['1.0'],
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      const [, , ...rest] = trial.connectHeaders()
      peer.send('CONNECT', rest)
      expectSame('version', rawHeader(await peer.next('CONNECTED'), 'version') ?? '1.0', '1.0')
    },
  },
  {
    id: 'connect-unsupported',
    title: 'refuses versions it does not know, and names those it does',
    clause: 'STOMP 1.2, Protocol Negotiation',
    versions: SINCE_1_1,
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      const [, , ...rest] = trial.connectHeaders()
      peer.send('CONNECT', ['accept-version', '9.9', ...rest])
      const error = await trial.refusal(peer, { sentinel: 'connect' })
      const known = rawHeader(error, 'version')?.split(',') ?? []
      expect(known.includes(trial.version), 'ERROR names no version')
    },
  },
  {
    id: 'connect-stomp',
    title: 'takes STOMP for CONNECT',
    clause: 'STOMP 1.2, CONNECT or STOMP Frame',
    versions: SINCE_1_1,
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      peer.send('STOMP', trial.connectHeaders())
      await peer.next('CONNECTED')
    },
  },
  {
    id: 'connect-session',
    title: 'names the session in CONNECTED, each one differently',
    clause: 'STOMP 1.0, Connecting; 1.2, CONNECTED Frame',
    needs: [],
    run: async (trial) => {
      const sessions = new Set<string | undefined>()
      for (let i = 0; i < 2; i++) {
        const peer = await trial.open()
        peer.send('CONNECT', trial.connectHeaders())
        sessions.add(rawHeader(await peer.next('CONNECTED'), 'session'))
      }
      expect(!sessions.has(undefined), 'CONNECTED has no session')
      expectSame('number of sessions', sessions.size, 2)
    },
  },
  {
    id: 'connect-server',
    title: 'names itself in CONNECTED',
    clause: 'STOMP 1.2, CONNECTED Frame',
    versions: SINCE_1_1,
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      peer.send('CONNECT', trial.connectHeaders())
      const server = rawHeader(await peer.next('CONNECTED'), 'server') ?? ''
      expect(/^[^\s/]+(\/\S+)?( .*)?$/.test(server), `server is "${server}"`)
    },
  },
  {
    id: 'connect-wrong-passcode',
    title: 'refuses a wrong passcode',
    clause: 'STOMP 1.2, Connecting',
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      const { login, host } = trial.target
      const accept = ['accept-version', trial.version, 'host', host]
      peer.send('CONNECT', [...accept, 'login', login, 'passcode', 'certainly wrong'])
      await trial.refusal(peer, { sentinel: 'connect' })
    },
  },
  {
    id: 'connect-no-credentials',
    title: 'refuses a client without credentials',
    clause: 'STOMP 1.2, CONNECT or STOMP Frame; stomp-relay, README',
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      peer.send('CONNECT', ['accept-version', trial.version, 'host', trial.target.host])
      await trial.refusal(peer, { sentinel: 'connect' })
    },
  },
  {
    id: 'connect-no-host',
    title: 'takes a CONNECT without host for one to its default host',
    clause: 'RabbitMQ, STOMP guide, Default Virtual Host',
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      const headers = trial.connectHeaders()
      const at = headers.indexOf('host')
      peer.send('CONNECT', headers.toSpliced(at, 2))
      await peer.next('CONNECTED')
    },
  },
  {
    id: 'connect-unknown-host',
    title: 'refuses a virtual host that it does not have',
    clause: 'STOMP 1.2, CONNECT or STOMP Frame',
    versions: SINCE_1_1,
    needs: ['virtual-hosts'],
    run: async (trial) => {
      const peer = await trial.open()
      const headers = trial.connectHeaders()
      peer.send('CONNECT', headers.with(headers.indexOf('host') + 1, trial.name()))
      await trial.refusal(peer, { sentinel: 'connect' })
    },
  },
  {
    id: 'connect-first',
    title: 'refuses any other frame before CONNECT',
    clause: 'STOMP 1.2, Connecting',
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      peer.send('SEND', ['destination', trial.topic()], 'too early')
      await trial.refusal(peer, { sentinel: 'connect' })
    },
  },
  {
    id: 'connect-twice',
    title: 'refuses a second CONNECT',
    clause: 'STOMP 1.2, Once Connected',
    needs: [],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('CONNECT', trial.connectHeaders())
      await trial.refusal(peer)
    },
  },
  {
    id: 'connect-unescaped',
    title: 'takes backslashes in CONNECT for what they are',
    clause: 'STOMP 1.2, Value Encoding',
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      peer.send('CONNECT', [...trial.connectHeaders(), 'note', String.raw`C:\temp`])
      await peer.next('CONNECTED')
    },
  },
  {
    id: 'connect-no-receipt',
    title: 'gives no RECEIPT for CONNECT',
    clause: 'STOMP 1.2, Header receipt',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect(['receipt', 'of-connect'])
      await trial.publish(peer, trial.topic(), 'sentinel')
      expect(peer.take('RECEIPT') === undefined, 'a RECEIPT for CONNECT')
    },
  },
  {
    id: 'connect-subprotocol',
    title: 'chooses the sub-protocol of the version, and does without',
    clause: 'STOMP over WebSocket, Sec-WebSocket-Protocol; RabbitMQ, Web STOMP guide',
    needs: [],
    run: async (trial) => {
      const named = await trial.open()
      expectSame('sub-protocol', named.protocol, `v1${trial.version.slice(-1)}.stomp`)
      const unnamed = await trial.openWith([])
      expectSame('sub-protocol', unnamed.protocol, '')
      unnamed.send('CONNECT', trial.connectHeaders())
      await unnamed.next('CONNECTED')
    },
  },
]
