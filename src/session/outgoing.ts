import { isUtf8 } from 'node:buffer'
import { encodeFrame } from '../../protocol/encoder.ts'
import { header, type HeaderList } from '../../protocol/frame.ts'
import type { Version } from '../../protocol/version.ts'
import type { EncodedFrame } from '../fanout/encoded-batch.ts'
import type { SessionMessage } from '../inbound/broker-link.ts'

export function connectedFrame(headers: HeaderList): EncodedFrame {
  // 1.2, since no version escapes CONNECTED.
  return { bytes: encodeFrame('CONNECTED', headers, undefined, '1.2'), isText: true }
}

export function receiptFrame(receiptId: string, extra: HeaderList, version: Version): EncodedFrame {
  return {
    bytes: encodeFrame('RECEIPT', ['receipt-id', receiptId, ...extra], undefined, version),
    isText: true,
  }
}

/** @param message what a client may be told; it stands in the body too, as RabbitMQ does it */
export function errorFrame(
  message: string,
  options: { version: Version; headers: HeaderList },
): EncodedFrame {
  const headers = ['message', message, 'content-type', 'text/plain', ...options.headers]
  return {
    bytes: encodeFrame('ERROR', headers, Buffer.from(message), options.version),
    isText: true,
  }
}

/** A message for one session only: an answer, a fault, or one from the client's own broker session. */
export function messageFrame(message: SessionMessage, version: Version): EncodedFrame {
  const headers = [
    'subscription',
    message.subscription,
    'destination',
    message.destination,
    'message-id',
    message.messageId,
    // Only 1.2 clients acknowledge by this header (STOMP 1.2, "MESSAGE").
    ...(message.ackId !== undefined && version === '1.2' ? ['ack', message.ackId] : []),
    ...message.headers,
  ]
  const isText =
    header(message.headers, 'content-type') !== 'application/octet-stream' && isUtf8(message.body)
  return { bytes: encodeFrame('MESSAGE', headers, message.body, version), isText }
}
