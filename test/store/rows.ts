import type { NotificationRow } from '../../src/store/notifications.ts'
import type { OrderRow } from '../../src/store/orders.ts'
import type { MessageRow, NewEventRow } from '../../src/store/store.ts'

export const AT = '2030-01-31T09:30:00.000Z'
export const LATER = '2030-02-28T09:30:00.000Z'

export function message(id: string, fields: Partial<MessageRow> = {}): MessageRow {
  return {
    id,
    room: null,
    sender: 'alice',
    receiver: null,
    content: 'hello',
    clientId: null,
    replyTo: null,
    status: 'SENT',
    createdAt: AT,
    ...fields,
  }
}

export function order(orderId: string, fields: Partial<OrderRow> = {}): OrderRow {
  return {
    orderId,
    userId: 'bob',
    status: 'PLACED',
    items: [{ sku: 'a', count: 2 }],
    note: null,
    version: 1,
    updatedAt: AT,
    createdAt: AT,
    changedBy: null,
    ...fields,
  }
}

export function event(
  stream: string,
  body = '{}',
  address: unknown = { kind: 'topic', topic: stream },
  fields: Partial<NewEventRow> = {},
): NewEventRow {
  return {
    stream,
    address,
    headers: ['content-type', 'application/json'],
    body,
    createdAt: AT,
    expiresAt: LATER,
    ...fields,
  }
}

export function notification(data: unknown): NotificationRow {
  return {
    id: 'n1',
    userId: 'bob',
    title: 't',
    message: 'm',
    type: 'ORDER',
    data,
    createdAt: AT,
    readAt: null,
    archivedAt: AT,
  }
}
