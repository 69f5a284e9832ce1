import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Outbox, Turn, type OutboxLimits } from '../../src/lib/outbox.ts'

const LIMITS = { bytes: 65_536, ms: 1000 }

interface Rig {
  readonly counters: { socketWrites: number }
  readonly turn: Turn
  readonly outbox: Outbox
  readonly socket: Socket
  /** The client's side. Reads nothing until it is told to. */
  readonly peer: Socket
  readonly slow: { count: number }
}

async function rig(t: Test, limits: OutboxLimits = LIMITS): Promise<Rig> {
  const server = createServer()
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => peer.destroy())
  peer.pause()
  const [socket] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  const counters = { socketWrites: 0 }
  const turn = new Turn(counters)
  const slow = { count: 0 }
  const outbox = new Outbox({ socket, limits, turn, onTooSlow: () => slow.count++ })
  return { counters, turn, outbox, socket, peer, slow }
}

/** Reads so many bytes. */
async function read(peer: Socket, count: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  peer.resume()
  while (length < count) {
    const [chunk] = (await once(peer, 'data')) as [Buffer]
    chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks)
}

/** Writes until the kernel takes no more. */
async function fill({ outbox, socket }: Rig): Promise<void> {
  const block = new Uint8Array(65_536)
  while (socket.writableLength === 0) {
    outbox.add(block)
    outbox.flush()
    await new Promise(setImmediate)
  }
}

await t.test('writes everything of one turn at once, in order', async (t) => {
  const { outbox, counters, peer } = await rig(t)
  const reading = read(peer, 300)
  for (let i = 0; i < 100; i++) outbox.add(Buffer.from(`${i}`.padStart(3)))
  t.equal(counters.socketWrites, 0, 'nothing leaves within the turn')
  t.equal(outbox.unsentBytes, 300)
  t.equal((await reading).toString(), Array.from({ length: 100 }, (_, i) => `${i}`.padStart(3)).join(''))
  t.equal(counters.socketWrites, 1)
  outbox.add(Buffer.from('later'))
  t.equal((await read(peer, 5)).toString(), 'later')
  t.equal(counters.socketWrites, 2, 'the next turn has a write of its own')
})

await t.test('writes for every client that has something, once each', async (t) => {
  const first = await rig(t)
  const second = new Outbox({
    socket: first.socket,
    limits: LIMITS,
    turn: first.turn,
    onTooSlow: () => undefined,
  })
  first.outbox.add(Buffer.from('ab'))
  second.add(Buffer.from('cd'))
  first.outbox.add(Buffer.from('ef'))
  t.equal((await read(first.peer, 6)).toString(), 'abefcd')
  t.equal(first.counters.socketWrites, 2)
})

await t.test('lets go at once what must leave before the turn ends', async (t) => {
  const { outbox, counters, peer } = await rig(t)
  outbox.add(Buffer.from('now'))
  outbox.flush()
  t.equal(counters.socketWrites, 1)
  outbox.flush()
  t.equal((await read(peer, 3)).toString(), 'now')
  t.equal(counters.socketWrites, 1, 'and the end of the turn has nothing left')
})

await t.test('writes nothing to a socket that is gone', async (t) => {
  const { outbox, counters, socket } = await rig(t)
  socket.destroy()
  outbox.add(Buffer.from('too late'))
  outbox.flush()
  t.equal(counters.socketWrites, 0)
  t.equal(outbox.unsentBytes, 0)
})

await t.test('calls a client slow when more than the limit waits, and not before', async (t) => {
  const parts = await rig(t)
  await fill(parts)
  const { outbox, slow } = parts
  t.equal(slow.count, 0)
  outbox.add(new Uint8Array(LIMITS.bytes - outbox.unsentBytes))
  outbox.flush()
  t.equal(slow.count, 0, 'at the limit')
  outbox.add(new Uint8Array(1))
  t.equal(slow.count, 1, 'beyond it')
})

await t.test(
  'does not blame a client for what one turn brings, as long as the kernel takes it',
  async (t) => {
    const { outbox, slow, peer } = await rig(t)
    const reading = read(peer, LIMITS.bytes * 3)
    for (let i = 0; i < 3; i++) outbox.add(new Uint8Array(LIMITS.bytes))
    await reading
    t.equal(slow.count, 0)
  },
)

await t.test('calls a client slow when the same bytes wait for longer than the limit', async (t) => {
  const parts = await rig(t)
  await fill(parts)
  const { turn, slow } = parts
  turn.check(10_000)
  turn.check(11_000)
  t.equal(slow.count, 0, 'at the limit')
  turn.check(11_001)
  t.equal(slow.count, 1)
})

await t.test('gives a client that reads again the whole time anew', async (t) => {
  const parts = await rig(t)
  await fill(parts)
  const { turn, slow, outbox, peer, socket } = parts
  turn.check(10_000)
  const drained = once(socket, 'drain')
  peer.resume()
  await drained
  peer.pause()
  t.equal(outbox.check(10_900), false, 'nothing waits')
  await fill(parts)
  turn.check(11_500)
  turn.check(12_400)
  t.equal(slow.count, 0)
  turn.check(12_501)
  t.equal(slow.count, 1)
})

await t.test('looks no more after a client that is gone', async (t) => {
  const parts = await rig(t)
  await fill(parts)
  const { turn, slow, outbox } = parts
  turn.check(10_000)
  turn.forget(outbox)
  turn.check(99_000)
  t.equal(slow.count, 0)
})

await t.test('there is room while the kernel takes what is written, and again when it has', async (t) => {
  const { outbox, socket, peer } = await rig(t, { bytes: 67_108_864, ms: 1000 })
  outbox.add(Buffer.alloc(100))
  t.equal(outbox.room(), undefined)
  t.equal(outbox.unsentBytes, 100, 'a little waits for the end of the turn')
  outbox.add(Buffer.alloc(20_000))
  t.equal(outbox.room(), undefined)
  t.equal(outbox.unsentBytes, 0, 'what waited for the end of the turn was written')
  let written = 20_100
  while (!socket.writableNeedDrain) {
    outbox.add(Buffer.alloc(65_536))
    outbox.flush()
    written += 65_536
  }
  const room = outbox.room()
  t.type(room, Promise)
  await Promise.all([room, read(peer, written)])
  t.equal(outbox.room(), undefined)
})

await t.test('whoever waits for room hears that the client is gone', async (t) => {
  const { outbox, socket } = await rig(t, { bytes: 67_108_864, ms: 1000 })
  while (!socket.writableNeedDrain) {
    outbox.add(Buffer.alloc(65_536))
    outbox.flush()
  }
  const room = outbox.room()
  socket.destroy()
  await room
  t.equal(socket.listenerCount('drain'), 0)
  t.equal(outbox.room(), undefined)
})
