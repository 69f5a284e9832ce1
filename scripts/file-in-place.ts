import { rm, writeFile } from 'node:fs/promises'
import process from 'node:process'

/** A file that must not stay behind. */
export interface TemporaryFile {
  readonly path: string
  readonly content: string
  readonly mode: number
}

const STOP_SIGNALS = ['SIGTERM', 'SIGHUP'] as const

/**
 * Runs `work` while the file is there, and takes the file away again however that ends, short of
 * `kill -9`. A file that was there already is left alone.
 *
 * SIGTERM and SIGHUP abort the signal that `work` is given, and this rejects once `work` has ended.
 * SIGINT does nothing: Ctrl-C reaches the programs that `work` runs, and they end it.
 */
export async function withFileInPlace(
  file: TemporaryFile,
  work: (stopped: AbortSignal) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController()
  const stop = (signal: string): void => stopping.abort(new Error(`stopped by ${signal}`))
  process.on('SIGINT', stay)
  for (const signal of STOP_SIGNALS) process.on(signal, stop)
  try {
    await whileThere(file, () => work(stopping.signal))
    stopping.signal.throwIfAborted()
  } finally {
    process.off('SIGINT', stay)
    for (const signal of STOP_SIGNALS) process.off(signal, stop)
  }
}

async function whileThere(file: TemporaryFile, work: () => Promise<void>): Promise<void> {
  const isOurs = await isWritten(file)
  try {
    await work()
  } finally {
    if (isOurs) await rm(file.path, { force: true })
  }
}

/** @returns false where there is one already */
async function isWritten({ path, content, mode }: TemporaryFile): Promise<boolean> {
  try {
    await writeFile(path, content, { mode, flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function stay(): void {
  // The listener alone keeps Node from ending the process.
}
