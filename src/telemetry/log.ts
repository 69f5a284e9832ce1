import { pino, type Logger } from 'pino'
import { harmless } from './harmless.ts'

/** A structured log: `log.info({ event: 'listening', address }, 'sentence')`. Never given a secret. */
export type Log = Logger

/** One JSON object a line on standard output. Times are ISO 8601 in UTC. */
export function createLog(options: { level: string; nodeId: string }): Log {
  return pino({
    level: options.level,
    base: { node: options.nodeId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: harmless },
    // Where a log call passes headers or settings along, these never get out.
    redact: {
      paths: [
        'authorization',
        'passcode',
        'password',
        'token',
        '*.authorization',
        '*.passcode',
        '*.password',
        '*.token',
      ],
      censor: '[redacted]',
    },
  })
}
