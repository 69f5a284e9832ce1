import stompit from 'stompit'

/*
 * An order service that knows nothing of the relay: it publishes to the queue `user` of RabbitMQ, over
 * STOMP on TCP, and waits until RabbitMQ has the order.
 *
 *   RABBITMQ_STOMP_URL=stomp://guest:guest@127.0.0.1:61613/%2F \
 *     npx tsx examples/order-service.ts ORDER USER [STATUS [NOTE]]
 *
 * stompit throws past its listeners when RabbitMQ answers with ERROR, which ends this process with a
 * stack trace. For a program of one message that is the right end; a server wants another client.
 */
const [orderId, userId, status = 'PLACED', note] = process.argv.slice(2)

function connect(url: URL): Promise<stompit.Client> {
  const options = {
    host: url.hostname,
    port: Number(url.port || '61613'),
    connectHeaders: {
      host: decodeURIComponent(url.pathname.slice(1)) || '/',
      login: decodeURIComponent(url.username),
      passcode: decodeURIComponent(url.password),
      'heart-beat': '0,0',
    },
  }
  return new Promise((resolve, reject) => {
    stompit.connect(options, (error, client) => (error ? reject(error) : resolve(client)))
  })
}

/** Resolves with RabbitMQ's RECEIPT. `persistent` lets the order survive a restart of RabbitMQ. */
function publish(client: stompit.Client, order: object): Promise<void> {
  const headers = { destination: '/queue/user', 'content-type': 'application/json', persistent: 'true' }
  return new Promise((resolve, reject) => {
    client.send(headers, { onReceipt: resolve, onError: reject }).end(JSON.stringify(order))
  })
}

function disconnect(client: stompit.Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.disconnect((error) => (error ? reject(error) : resolve()))
  })
}

if (orderId === undefined || userId === undefined) {
  console.error('usage: order-service.ts ORDER USER [STATUS [NOTE]]')
  process.exitCode = 64
} else {
  const client = await connect(
    new URL(process.env['RABBITMQ_STOMP_URL'] ?? 'stomp://guest:guest@127.0.0.1:61613/%2F'),
  )
  await publish(client, { orderId, userId, status, note, updatedAt: new Date().toISOString() })
  console.log(`RabbitMQ has order ${orderId} of ${userId}: ${status}`)
  await disconnect(client)
}
