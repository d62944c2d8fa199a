import pg from 'pg';
import type { Query } from '../workload/world.js';

const DEADLINE_MS = 30_000;
const CONNECT_DEADLINE_MS = 2_000;

/**
 * Runs plain SQL, each statement on a connection of its own, so that it doesn't matter whether Postgres was restarted.
 *
 * @param databaseUrl `postgres://…`
 * @returns runs one statement
 */
export function plainQuery(databaseUrl: string): Query {
  return async sql => {
    const client = new pg.Client({
      connectionString: databaseUrl,
      connectionTimeoutMillis: CONNECT_DEADLINE_MS,
      query_timeout: DEADLINE_MS,
    });
    // Losing it fails the statement, and that is told where it is waited for.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
}
