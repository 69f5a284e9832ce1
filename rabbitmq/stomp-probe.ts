import { connect } from 'node:net'

const PROBE_TIMEOUT_MS = 2_000

/** Whether a CONNECT to this port of 127.0.0.1 is answered with CONNECTED within 2 s. */
export async function connectsOverStomp(port: number, login: string, passcode: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: PROBE_TIMEOUT_MS })
    let answer = ''
    const finish = (isUp: boolean): void => {
      socket.destroy()
      resolve(isUp)
    }
    socket.on('error', () => finish(false))
    socket.on('close', () => finish(false))
    socket.on('timeout', () => finish(false))
    socket.on('connect', () => {
      socket.write(`CONNECT\naccept-version:1.2\nhost:/\nlogin:${login}\npasscode:${passcode}\n\n\0`)
    })
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      if (answer.includes('\n')) finish(answer.startsWith('CONNECTED'))
    })
  })
}
