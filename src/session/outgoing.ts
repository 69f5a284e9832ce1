import { encodeFrame } from '../../protocol/encoder.ts'
import type { HeaderList } from '../../protocol/frame.ts'
import type { Version } from '../../protocol/version.ts'
import { isTextBody, type EncodedFrame } from '../fanout/encoded-frame.ts'
import type { SessionMessage } from '../inbound/broker-link.ts'

/** CONNECTED; `headers` in the order they are to be written. */
export function connectedFrame(headers: HeaderList): EncodedFrame {
  // 1.2, since no version escapes CONNECTED.
  return { bytes: encodeFrame('CONNECTED', headers, undefined, '1.2'), isText: true }
}

/** RECEIPT, with headers of ours (`extra`) behind the id. */
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
  return {
    bytes: encodeFrame('MESSAGE', headers, message.body, version),
    isText: isTextBody(message.headers, message.body),
  }
}
