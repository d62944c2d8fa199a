import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient, type Sale } from './generated/client.js';

export { Prisma } from './generated/client.js';
/** Prisma's client on a pool of connections to Postgres. */
export type Database = PrismaClient;

/** A sale's row as Prisma reads it; core/postgres/sales.ts turns it into the type `Sale` of core/rules/sale.ts. */
export type SaleRow = Sale;

/** The calls for raw SQL, which a database client and a transaction have in common. */
export type Transaction = Pick<Database, '$queryRaw' | '$executeRaw'>;

/** Time limit for one SQL statement, in ms. Postgres cancels the statement; the client gives up one second later. */
const STATEMENT_TIMEOUT_MS = 5_000;

/** Settings of a process's connections to Postgres. */
export interface DatabaseOptions {
  /** The most connections: the number of jobs that the process runs at once, and some for maintenance. */
  connections: number;
  /**
   * Whether changes of orders also write notices for the shop's webhook. A database trigger reads this setting
   * (migration 0003).
   */
  tellsShop?: boolean;
}

/**
 * Opens a pool of connections to Postgres.
 *
 * @param url `postgres://…`
 * @returns Prisma's client; `$disconnect()` closes the pool
 */
export function connectDatabase(url: string, { connections, tellsShop = false }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 2_000,
    query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
    keepAlive: true,
    options: [
      `-c statement_timeout=${STATEMENT_TIMEOUT_MS}`,
      '-c lock_timeout=2000',
      '-c idle_in_transaction_session_timeout=10000',
      '-c synchronous_commit=on',
      '-c timezone=UTC',
      `-c dropline.shop_webhooks=${tellsShop ? 'on' : 'off'}`,
    ].join(' '),
  });
  // Neither the pool nor Prisma handles errors of a connection that is being taken out or returned. If Postgres ends it
  // in that moment, the unhandled error would end the process. The next query reports the loss anyway.
  pool.on('connect', client => client.on('error', () => undefined));
  return new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: true }) });
}

/**
 * Checks that Postgres answers.
 *
 * @throws Prisma's error when Postgres does not answer
 */
export async function ping(db: Database): Promise<void> {
  await db.$queryRaw`SELECT 1`;
}
