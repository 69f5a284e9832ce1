import stompit from 'stompit'

/** Publishes one message straight to RabbitMQ's STOMP port, as an order service would, and waits for its receipt. */
export async function publishByStomp(
  stompUrl: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<void> {
  const client = await open(new URL(stompUrl))
  await new Promise<void>((resolve, reject) => {
    const frame = client.send(
      { 'content-type': 'application/json', ...headers },
      { onReceipt: resolve, onError: reject },
    )
    frame.end(body)
  })
  await new Promise<void>((resolve, reject) => {
    client.disconnect((error) => (error ? reject(error) : resolve()))
  })
}

function open(url: URL): Promise<stompit.Client> {
  const options = {
    host: url.hostname,
    port: Number(url.port),
    connectHeaders: {
      host: decodeURIComponent(url.pathname.slice(1)) || '/',
      login: url.username,
      passcode: url.password,
      'heart-beat': '0,0',
    },
  }
  return new Promise((resolve, reject) => {
    stompit.connect(options, (error, client) => (error ? reject(error) : resolve(client)))
  })
}
