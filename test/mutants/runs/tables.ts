import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '#core/postgres/migrate/migrate.js';

/** Migrations make the tables of a database of their own, which tests then copy. */
export const MIGRATION = /^prisma\/migrations\/.*\.sql$/;

/** The database with a mutant's tables. Only one mutant is tried at a time. */
const NAME = 'mutant';

/** All that a statement on the tables can meet: columns, constraints, indexes, triggers and functions. */
const SCHEMA = `
  SELECT attrelid::regclass || ' ' || attname || ' ' || atttypid::regtype || ' ' || attnotnull || ' '
         || coalesce(pg_get_expr(adbin, adrelid), '') AS line
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    JOIN pg_class ON pg_class.oid = attrelid
   WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
   WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
  ORDER BY line`;

/** The tables that the migrations of a folder make. */
export interface Tables {
  url: string;
  /** The whole schema in words. Two that are the same let each statement do the same. */
  schema: string;
}

/**
 * Makes the tables of a copy of the sources in a database of their own.
 *
 * @param server the URL of any database of the server
 * @param folder the copy
 * @throws Error when Postgres refuses a migration
 */
export async function createTables(server: string, folder: string): Promise<Tables> {
  const own = new URL(server);
  own.pathname = NAME;
  await withClient(server, async client => {
    await client.query(`DROP DATABASE IF EXISTS ${NAME} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${NAME} TEMPLATE template1`);
  });
  await migrate(own.href, join(folder, 'prisma', 'migrations'));
  return { url: own.href, schema: await readSchema(own.href) };
}

/** Returns the schema of a database in words. */
export function readSchema(url: string): Promise<string> {
  return withClient(url, async client => {
    const { rows } = await client.query<{ line: string }>(SCHEMA);
    return rows.map(({ line }) => line).join('\n');
  });
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
