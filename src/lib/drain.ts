import type { Socket } from 'node:net'

/** Waits for the room of a socket, with one pair of listeners however many wait. */
export class Drain {
  readonly #socket: Socket
  #waiting: Promise<void> | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Resolves when the kernel has taken what was written, or the socket is closed; undefined where there is room. */
  room(): Promise<void> | undefined {
    const socket = this.#socket
    if (!socket.writableNeedDrain) return undefined
    this.#waiting ??= new Promise((resolve) => {
      const done = (): void => {
        socket.off('drain', done)
        socket.off('close', done)
        this.#waiting = undefined
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
    return this.#waiting
  }
}
