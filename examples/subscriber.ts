import { Client, type IMessage } from '@stomp/stompjs'
import { WebSocket } from 'ws'

/*
 * Prints what reaches one user, and says something to everybody where text is given:
 *
 *   npx tsx examples/subscriber.ts
 *   npx tsx examples/subscriber.ts 'hello from here'
 *
 * RELAY_URL, RELAY_LOGIN and RELAY_PASSCODE choose another server or account. Ctrl-C ends it.
 */
const { RELAY_URL = 'ws://127.0.0.1:8080/ws', RELAY_LOGIN = 'alice' } = process.env
const RELAY_PASSCODE = process.env['RELAY_PASSCODE'] ?? RELAY_LOGIN
const text = process.argv.slice(2).join(' ')

const client = new Client({
  // Node 20 has no WebSocket of its own. In a browser `brokerURL: 'ws://…'` is enough.
  webSocketFactory: () => new WebSocket(RELAY_URL, ['v12.stomp', 'v11.stomp', 'v10.stomp']),
  connectHeaders: { login: RELAY_LOGIN, passcode: RELAY_PASSCODE },
  reconnectDelay: 2000,
  onConnect: (connected) => void begin(connected.headers['user-name'] ?? RELAY_LOGIN),
  onStompError: ({ headers }) => {
    console.error(`refused: ${headers['message'] ?? 'no reason given'}`)
    process.exitCode = 1
    void client.deactivate()
  },
  onWebSocketError: () => console.error(`cannot reach ${RELAY_URL}, trying again`),
})

/** A broker's connection may come back many times; what was asked for is said once. */
let isSaid = text === ''

async function begin(user: string): Promise<void> {
  console.log(`connected as ${user}`)
  await Promise.all([
    // First, so that what is refused from here on is said there and does not end the session.
    subscribe('/user/queue/errors', ({ code, message }) => `refused: ${code}: ${message}`),
    subscribe('/topic/messages', ({ sender, content }) => `${sender}: ${content}`),
    subscribe('/topic/broadcasts', ({ title, message }) => `broadcast: ${title}: ${message}`),
    subscribe('/user/queue/orders', ({ orderId, status }) => `order ${orderId} is ${status}`),
  ])
  console.log('subscribed')
  if (isSaid) return
  isSaid = true
  client.publish({ destination: '/app/messages', body: JSON.stringify({ content: text }) })
}

/** Resolves with the RECEIPT: from then on every message published arrives. */
function subscribe(destination: string, line: (payload: Record<string, string>) => string): Promise<void> {
  return new Promise((resolve) => {
    const receipt = `subscribed-${destination}`
    client.watchForReceipt(receipt, () => resolve())
    client.subscribe(destination, (message) => console.log(line(payloadOf(message))), { receipt })
  })
}

function payloadOf({ body }: IMessage): Record<string, string> {
  return JSON.parse(body) as Record<string, string>
}

process.once('SIGINT', () => void client.deactivate())
client.activate()
