import {
  HISTORY_EXPORT,
  OPERATION,
  OPERATION_POST,
  OPERATION_STATUS,
  ORDERS_BULK_ACCEPTED,
  ORDERS_BULK_COUNT,
  ORDERS_BULK_POST,
  ORDERS_BULK_STATUS,
} from './payload/operation.ts'

/** Those of long operations, for `payload-versions.ts`. */
export const OPERATION_PAYLOADS = [
  {
    name: 'OperationPost',
    travels: 'SEND `/app/operations`, POST `/api/v1/operations`',
    schema: OPERATION_POST,
  },
  {
    name: 'HistoryExport',
    travels: '`params` of operations of the type `history-export`',
    schema: HISTORY_EXPORT,
  },
  {
    name: 'OrdersBulkStatus',
    travels: '`params` of operations of the type `orders-bulk-status`',
    schema: ORDERS_BULK_STATUS,
  },
  {
    name: 'Operation',
    travels: 'answer to POST `/api/v1/operations`, GET and DELETE `/api/v1/operations/{id}`',
    schema: OPERATION,
  },
  {
    name: 'OperationStatus',
    travels:
      'MESSAGE `/user/queue/operations`, event `operation` of GET `/api/v1/notifications/stream`, and answer to GET `/api/v1/operations`, as a list',
    schema: OPERATION_STATUS,
  },
  { name: 'OrdersBulkPost', travels: 'POST `/api/v1/admin/orders/bulk-status`', schema: ORDERS_BULK_POST },
  {
    name: 'OrdersBulkAccepted',
    travels: 'answer to POST `/api/v1/admin/orders/bulk-status`',
    schema: ORDERS_BULK_ACCEPTED,
  },
  {
    name: 'OrdersBulkCount',
    travels: 'answer to POST `/api/v1/admin/orders/bulk-status` with `dryRun`',
    schema: ORDERS_BULK_COUNT,
  },
]
