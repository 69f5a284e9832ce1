import type { Test } from 'tap'
import type { Service, ServiceNode } from '../support/service-rig.ts'
import type { StompClient } from '../support/stomp-client.ts'
import { fits, person, type Json } from './person.ts'

/** Who is away for less is not told of, milliseconds. */
const LINGER_MS = 5000

/** CONTRACT, section 5: who is online and in which room. West acts, east sees. */
export async function presence(t: Test, service: Service): Promise<void> {
  await online(t, service)
  await inRooms(t, service)
  await withoutFlicker(t, service)
  await refused(t, service)
}

async function online(t: Test, { west, east }: Service): Promise<void> {
  await t.test('/topic/presence and /app/presence tell of somebody at the other node', async (t) => {
    const watcher = await Watcher.begin(t, east, '/topic/presence')
    const ada = await person(t, west, 'ada')
    t.match(await watcher.about('ada'), { type: 'ONLINE', user: 'ada' })
    const seen = (await watcher.listed('/app/presence')).find(({ user }) => user === 'ada')
    t.ok(fits('Participant', seen))
    await ada.close()
    const event = await watcher.about('ada')
    t.match(event, { type: 'OFFLINE', user: 'ada' })
    t.ok(fits('OnlinePresence', event))
    t.notOk((await watcher.users('/app/presence')).includes('ada'))
  })
}

async function inRooms(t: Test, { west, east }: Service): Promise<void> {
  await t.test('/topic/rooms.{room}.presence and /app/rooms/{room}/participants tell likewise', async (t) => {
    const watcher = await Watcher.begin(t, east, '/topic/rooms.salon.presence')
    t.same(await watcher.listed('/app/rooms/salon/participants'), [])
    const bea = await enter(t, west, 'bea', 'salon')
    const joined = await watcher.next()
    t.match(joined, { type: 'JOINED', user: 'bea', room: 'salon' })
    t.ok(fits('RoomPresence', joined))
    await enter(t, east, 'cem', 'salon')
    t.match(await watcher.next(), { type: 'JOINED', user: 'cem' })
    const list = await watcher.listed('/app/rooms/salon/participants')
    t.same(
      list.map(({ user }) => user),
      ['bea', 'cem'],
    )
    t.ok(list.every((each) => fits('Participant', each)))
    t.same(await watcher.users('/app/rooms/salon/participants', 'limit', '1', 'after', 'bea'), ['cem'])
    await bea.ask('UNSUBSCRIBE', ['id', 'room'])
    t.match(await watcher.next(), { type: 'LEFT', user: 'bea', room: 'salon' })
    t.same(await watcher.users('/app/rooms/salon/participants'), ['cem'])
  })
}

async function withoutFlicker(t: Test, { west, east }: Service): Promise<void> {
  await t.test('no presence is told of when a second tab closes, at whichever node', async (t) => {
    const watcher = await Watcher.begin(t, east, '/topic/rooms.tabs.presence')
    const tabs = [await enter(t, west, 'dan', 'tabs'), await enter(t, east, 'dan', 'tabs')]
    t.match(await watcher.next(), { type: 'JOINED', user: 'dan' })
    await tabs[0]!.close()
    t.same(await watcher.untilGone(t, west, 'tabs'), [], 'nothing until somebody else was gone for 5 s')
    t.same(await watcher.users('/app/rooms/tabs/participants'), ['dan'])
    await tabs[1]!.close()
    t.match(await watcher.next(), { type: 'LEFT', user: 'dan' }, 'the last tab counts')
  })

  await t.test('no presence is told of when a client is back within 5 s, at the other node', async (t) => {
    const watcher = await Watcher.begin(t, east, '/topic/rooms.back.presence')
    const eve = await enter(t, west, 'eve', 'back')
    t.match(await watcher.next(), { type: 'JOINED', user: 'eve' })
    const leftAtMs = performance.now()
    await eve.close()
    await enter(t, east, 'eve', 'back')
    const awayMs = performance.now() - leftAtMs
    const told = await watcher.untilGone(t, west, 'back')
    t.ok(awayMs >= LINGER_MS || told.length === 0, `back after ${Math.round(awayMs)} ms: ${told.join()}`)
    t.same(await watcher.users('/app/rooms/back/participants'), ['eve'])
  })
}

async function refused(t: Test, { east }: Service): Promise<void> {
  await t.test('/app/presence and participants say what does not make sense', async (t) => {
    const client = await person(t, east, 'fay')
    for (const [destination, headers, code] of [
      ['/app/presence', ['limit', '0'], 'invalid-header'],
      ['/app/rooms/salon/participants', ['limit', '1001'], 'invalid-header'],
      ['/app/rooms/a.b/participants', [], 'invalid-destination'],
    ] as const) {
      client.send('SUBSCRIBE', ['id', 'x', 'destination', destination, ...headers])
      t.match((await client.message('errors')).payload, { code, destination })
    }
  })

  await t.test('nobody makes presence up', async (t) => {
    const client = await person(t, east, 'mallory')
    for (const destination of ['/topic/presence', '/topic/rooms.salon.presence']) {
      client.send('SEND', ['destination', destination], '{"type":"OFFLINE","user":"alice"}')
      t.match((await client.message('errors')).payload, { code: 'forbidden', destination })
    }
  })
}

/** Somebody at a node who sees what is told of presence at a destination. */
class Watcher {
  readonly #client: StompClient
  #asked = 0

  private constructor(client: StompClient) {
    this.#client = client
  }

  static async begin(t: Test, node: ServiceNode, destination: string): Promise<Watcher> {
    const client = await person(t, node, 'watcher')
    await client.subscribe('presence', destination)
    return new Watcher(client)
  }

  async next(): Promise<Json> {
    return (await this.#client.message('presence')).payload
  }

  /** The next about somebody: others come and go too. */
  async about(user: string): Promise<Json> {
    for (;;) {
      const event = await this.next()
      if (event['user'] === user) return event
    }
  }

  /** What a SUBSCRIBE under `/app` is answered with. */
  async listed(destination: string, ...headers: string[]): Promise<Json[]> {
    const id = `list-${(this.#asked += 1)}`
    await this.#client.subscribe(id, destination, headers)
    return (await this.#client.message(id)).payload as unknown as Json[]
  }

  async users(destination: string, ...headers: string[]): Promise<unknown[]> {
    return (await this.listed(destination, ...headers)).map(({ user }) => user)
  }

  /** All that is told of a room before the end of somebody who enters it now and leaves it at once. */
  async untilGone(t: Test, node: ServiceNode, room: string): Promise<string[]> {
    const last = await enter(t, node, 'the-last', room)
    const told: string[] = []
    for (;;) {
      const { user, type } = await this.next()
      if (user !== 'the-last') told.push(`${String(user)} ${String(type)}`)
      else if (type === 'LEFT') return told
      else await last.close()
    }
  }
}

async function enter(t: Test, node: ServiceNode, user: string, room: string): Promise<StompClient> {
  const client = await person(t, node, user)
  await client.subscribe('room', `/topic/rooms.${room}`)
  return client
}
