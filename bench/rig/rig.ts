import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { createLogger } from '#core/process/logger.js';
import { reportTo } from '#core/process/telemetry.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import { type Generator, startGenerator } from '../load/generator.js';
import type { Options } from '../options.js';
import { compileBench } from './compile.js';

const POOL_CONNECTIONS = 8;

/** What every question is measured with: private stores, connections of our own to them, and the load generator. */
export interface Rig extends Omit<Connections, 'close'> {
  options: Options;
  secret: string;
  stores: PrivateStores;
  /** For what Prisma would only be in the way of. */
  pool: pg.Pool;
  generator: Generator;
  /** A compiled file of bench/. */
  compiled(name: string): string;
  /** Told in one line how far we are. */
  tell(line: string): void;
}

/**
 * Starts everything that is there during the whole benchmark.
 *
 * @param options how much is measured
 * @param beforeEnd remembers what must be ended, also when starting fails half-way
 * @returns the rig
 */
export async function startRig(
  options: Options,
  beforeEnd: (stop: () => Promise<unknown> | unknown) => void,
): Promise<Rig> {
  reportTo(createLogger('bench', 'warn'));
  const compiled = await compileBench();
  const stores = await startPrivateStores();
  beforeEnd(() => stores.stop());
  await migrate(stores.databaseUrl);
  const { close, ...connections } = await connectStores(stores.redisUrl, stores.databaseUrl);
  beforeEnd(close);
  const pool = new pg.Pool({ connectionString: stores.databaseUrl, max: POOL_CONNECTIONS });
  // A connection that Postgres ends as it stops is nothing to fail on.
  pool.on('error', () => undefined);
  beforeEnd(() => pool.end());
  const secret = randomBytes(32).toString('hex');
  const generator = startGenerator(compiled('load/main'), secret);
  beforeEnd(() => generator.stop());
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  return { ...connections, options, secret, stores, pool, generator, compiled, tell };
}
