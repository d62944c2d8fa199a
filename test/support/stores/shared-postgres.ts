import { randomUUID } from 'node:crypto';
import pg from 'pg';

/**
 * Copies the migrated database of the Postgres that all files of integration tests share. A copy takes 0.1 s; a server and
 * migrations of its own took each file more than 2 s.
 *
 * @returns the URL of the copy
 */
export function createMigratedDatabase(): Promise<string> {
  return createDatabase(sharedPostgres().pathname.slice(1));
}

/** Creates a database without tables in the shared Postgres, and returns its URL. */
export function createEmptyDatabase(): Promise<string> {
  return createDatabase('template1');
}

function sharedPostgres(): URL {
  return new URL(process.env.SHARED_POSTGRES ?? '');
}

async function createDatabase(template: string): Promise<string> {
  const [own, server] = [sharedPostgres(), sharedPostgres()];
  own.pathname = `test_${randomUUID().replaceAll('-', '')}`;
  server.pathname = 'postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${own.pathname.slice(1)} TEMPLATE ${template}`);
  } finally {
    await client.end();
  }
  return own.href;
}
