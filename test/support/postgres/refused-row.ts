import pg from 'pg';

/**
 * Returns why Postgres refuses a statement: the name of the constraint, or the message of a trigger.
 *
 * @throws Error when the statement is carried out, and what else it throws
 */
export async function refusalOf(statement: Promise<unknown>): Promise<string> {
  const error = await statement.then(
    () => new Error('Postgres has carried the statement out'),
    refused => refused,
  );
  if (!(error instanceof pg.DatabaseError)) throw error;
  return error.constraint ?? error.message;
}
