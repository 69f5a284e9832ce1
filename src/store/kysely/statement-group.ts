import { CompiledQuery, type Kysely, type QueryResult } from 'kysely'
import type { Schema } from './schema.ts'

/**
 * Statements of a transaction that are sent together and run in their order. To Kysely they are one,
 * because it waits for the answer to each statement before it sends the next.
 */
export class StatementGroup implements CompiledQuery {
  readonly query: CompiledQuery['query']
  readonly queryId: CompiledQuery['queryId']
  readonly sql: string
  readonly parameters = []
  readonly statements: readonly CompiledQuery[]

  constructor(statements: readonly CompiledQuery[]) {
    const { query, queryId, sql } = CompiledQuery.raw(statements.map((each) => each.sql).join('; '))
    this.query = query
    this.queryId = queryId
    this.sql = sql
    this.statements = statements
  }
}

/**
 * The answers in the order of the statements. Rejects with the error of the first that failed; then the
 * transaction is to be given up, since those behind it may have run.
 */
export async function executeTogether(
  db: Kysely<Schema>,
  statements: readonly CompiledQuery[],
): Promise<readonly QueryResult<unknown>[]> {
  const { rows } = await db.executeQuery<QueryResult<unknown>>(new StatementGroup(statements))
  return rows
}

/** For connections: runs a group by what runs one statement, all before the first answer. */
export async function answerGroup(
  { statements }: StatementGroup,
  execute: (statement: CompiledQuery) => Promise<QueryResult<unknown>>,
): Promise<QueryResult<QueryResult<unknown>>> {
  const outcomes = await Promise.allSettled(statements.map((each) => execute(each)))
  const rows = outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
  return { rows }
}
