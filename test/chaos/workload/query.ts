import pg from 'pg';

const DEADLINE_MS = 30_000;
const CONNECT_DEADLINE_MS = 30_000;

/** Runs one statement, and returns its rows. */
export type Query = (sql: string) => Promise<Record<string, string>[]>;

/**
 * Creates a query that runs plain SQL. Each statement has a connection of its own, so that a restart of Postgres doesn't matter.
 *
 * @param databaseUrl `postgres://…`
 */
export function createQuery(databaseUrl: string): Query {
  return async sql => {
    const client = new pg.Client({
      connectionString: databaseUrl,
      connectionTimeoutMillis: CONNECT_DEADLINE_MS,
      query_timeout: DEADLINE_MS,
    });
    // A lost connection fails the statement, and the caller gets that error.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
}
