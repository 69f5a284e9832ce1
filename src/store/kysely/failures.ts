import { MessageError } from '../../errors.ts'

/** Runs a question to the database; what goes wrong becomes `store-unavailable`, cause kept. */
export async function guarded<R>(question: () => Promise<R>): Promise<R> {
  try {
    return await question()
  } catch (error) {
    throw error instanceof MessageError ? error : unavailable(error)
  }
}

export function unavailable(cause: unknown): MessageError {
  return new MessageError('store-unavailable', 'the database does not answer', { cause })
}
