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

/** The size of a pool of connections to Postgres, and its patience. */
export interface PoolOptions {
  /** The most connections: the number of jobs that the process runs at once, and some for maintenance. */
  connections: number;
  /** The longest wait for a connection, in ms, unless the address has `connect_timeout`; 2,000 if not given. */
  waitMs?: number;
}

/**
 * The longest life of a connection to one of several servers, in s. Each new connection asks all servers, so a process notices
 * a promotion within this time although its old primary still answers.
 */
const LIFE_SECONDS = 15;

/**
 * Opens a pool of connections to Postgres.
 *
 * @param url `postgres://…`
 * @returns Prisma's client; `$disconnect()` closes the pool
 * @throws StoreAddressError for a wrong address; ConfigError for a certificate that cannot be read
 */
export function connectDatabase(url: string, { connections, waitMs }: PoolOptions): Database {
  const config = planConnections(url, statementSettings, waitMs);
  const pool = new pg.Pool({
    ...config,
    max: connections,
    maxLifetimeSeconds: config.plan.address.hosts.length > 1 ? LIFE_SECONDS : 0,
    query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
    Client: PostgresClient as unknown as new () => pg.ClientBase,
  });
  const { schema } = config.plan.address;
  const options = { disposeExternalPool: true, ...(schema ? { schema } : {}) };
  const adapter = new PrismaPg(pool, options);
  return new PrismaClient({ adapter, transactionOptions: { maxWait: config.connectionTimeoutMillis } });
}

/**
 * Checks that Postgres answers.
 *
 * @throws Prisma's error when Postgres does not answer
 */
export async function ping(db: Database): Promise<void> {
  await db.$queryRaw`SELECT 1`;
}
