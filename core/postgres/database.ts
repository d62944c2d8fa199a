import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PostgresClient } from './connection/client.js';
import { planConnections } from './connection/plan.js';
import { STATEMENT_TIMEOUT_MS, statementSettings } from './connection/settings.js';
import { PrismaClient, type Sale } from './generated/client.js';

export { Prisma } from './generated/client.js';
/** Prisma's client on a pool of connections to Postgres. */
export type Database = PrismaClient;

/** A sale's row as Prisma reads it; core/postgres/sales.ts turns it into the type `Sale` of core/rules/sale.ts. */
export type SaleRow = Sale;

/** The calls for raw SQL, which a database client and a transaction have in common. */
export type Transaction = Pick<Database, '$queryRaw' | '$executeRaw'>;

/**
 * Opens a pool of connections to Postgres.
 *
 * @param url `postgres://…`
 * @param connections the most connections: the number of jobs that the process runs at once, and some for maintenance
 * @returns Prisma's client; `$disconnect()` closes the pool
 * @throws PostgresAddressError for a wrong address; ConfigError for a certificate that cannot be read
 */
export function connectDatabase(url: string, { connections }: { connections: number }): Database {
  const config = planConnections(url, statementSettings);
  const pool = new pg.Pool({
    ...config,
    max: connections,
    query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
    Client: PostgresClient as unknown as new () => pg.ClientBase,
  });
  const { schema } = config.plan.address;
  const options = { disposeExternalPool: true, ...(schema ? { schema } : {}) };
  return new PrismaClient({ adapter: new PrismaPg(pool, options) });
}

/**
 * Checks that Postgres answers.
 *
 * @throws Prisma's error when Postgres does not answer
 */
export async function ping(db: Database): Promise<void> {
  await db.$queryRaw`SELECT 1`;
}
