import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { NAME_PATTERN } from '../../../protocol/destination.ts'
import { ORDER_ID, USER_NAME } from '../../../protocol/payload/fields.ts'
import {
  ORDER_INFO,
  ORDER_PATCH,
  ORDER_STATUS,
  ORDER_WITH_HISTORY,
  type OrderInfo,
  type OrderStatus,
  type OrderWithHistory,
} from '../../../protocol/payload/order.ts'
import { patchOrder } from '../../app/orders/patch-order.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Principal } from '../../auth/principal.ts'
import { RequestError } from '../../errors.ts'
import type { OrderRow } from '../../store/orders.ts'
import type { Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit, pageOf } from '../page.ts'

export interface OrderRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly store: Pick<Store, 'orders'>
  readonly appender: StreamAppender
}

const PARAMS = Type.Object({ id: ORDER_ID })

const QUERY = Type.Object({
  ...PAGE_QUERY,
  cursor: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
  user: Type.Optional({ ...USER_NAME, description: 'Of this user: for administrators, or oneself' }),
  status: Type.Optional(ORDER_STATUS),
})

/** States of one order that are shown. */
const MAX_HISTORY = 200

/** Orders: the caller's own, and for administrators all, which they may change. */
export function registerOrders(server: FastifyInstance, parts: OrderRouteParts): void {
  registerList(server, parts)
  registerOne(server, parts)
  registerPatch(server, parts)
}

function registerList(server: FastifyInstance, { authenticator, store }: OrderRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/orders`,
    tag: 'orders',
    summary: "The caller's orders, or for administrators all, by id, descending",
    query: QUERY,
    answers: { 200: { description: 'A page of orders', schema: pageOf(ORDER_INFO) } },
    problems: [403],
    handle: async ({ caller, query: { user, status, cursor, ...page } }) => {
      if (!isAdmin(caller) && user !== undefined && user !== caller.name) {
        throw new RequestError(403, 'forbidden', 'only administrators ask for the orders of others')
      }
      const userId = isAdmin(caller) ? user : caller.name
      const { shown, asked } = pageLimit(page)
      const rows = await store.orders.list(
        { ...(userId !== undefined && { userId }), ...(status !== undefined && { status }) },
        { limit: asked, ...(cursor !== undefined && { before: cursor }) },
      )
      return listPage(rows, shown, { itemOf: infoOf, cursorOf: ({ orderId }) => orderId })
    },
  })
}

function registerOne(server: FastifyInstance, { authenticator, store }: OrderRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/orders/:id`,
    tag: 'orders',
    summary: 'An order with its history, for its owner and for administrators',
    params: PARAMS,
    answers: { 200: { description: 'The order', schema: ORDER_WITH_HISTORY } },
    handle: async ({ caller, params: { id } }) => {
      const order = await store.orders.find(id)
      if (order === null || !(isAdmin(caller) || order.userId === caller.name)) {
        throw new RequestError(404, 'not-found', 'there is no such order')
      }
      return withHistory(order, await store.orders.history(id, MAX_HISTORY), isAdmin(caller))
    },
  })
}

function registerPatch(server: FastifyInstance, { authenticator, appender }: OrderRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'PATCH',
    path: `${API}/orders/:id`,
    tag: 'orders',
    summary: 'Changes an order, and tells its owner',
    roles: ['admin'],
    params: PARAMS,
    body: ORDER_PATCH,
    answers: { 200: { description: 'Stored, and will be relayed: the order', schema: ORDER_INFO } },
    handle: async ({ caller, params: { id }, body }) =>
      infoOf(await patchOrder(appender, { orderId: id, by: caller.name }, body)),
  })
}

function isAdmin({ roles }: Principal): boolean {
  return roles.includes('admin')
}

function infoOf({
  orderId,
  userId,
  status,
  items,
  note,
  version,
  updatedAt,
  createdAt,
}: OrderRow): OrderInfo {
  return {
    orderId,
    userId,
    status: known(status),
    ...(Array.isArray(items) && { items }),
    ...(note !== null && { note }),
    ...(version !== null && { version }),
    updatedAt,
    createdAt,
  }
}

function withHistory(order: OrderRow, states: readonly OrderRow[], showsWho: boolean): OrderWithHistory {
  const history = states.map(({ status, note, version, updatedAt, changedBy }) => ({
    status: known(status),
    ...(note !== null && { note }),
    ...(version !== null && { version }),
    at: updatedAt,
    ...(showsWho && changedBy !== null && { by: changedBy }),
  }))
  return { ...infoOf(order), history }
}

/** A row of a newer node may bear a status of its own. */
function known(status: string): OrderStatus {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what was stored had passed its schema
  return status as OrderStatus
}
