import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { createLogger } from '#core/process/logger.js';
import { reportTo } from '#core/process/reporting.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import { type Generator, startGenerator } from '../load/generator.js';
import type { Options } from '../options.js';
import { compileBench } from './compile.js';

const POOL_CONNECTIONS = 8;

/** Remembers a stop function for the end of the program. */
export type BeforeEnd = (stop: () => Promise<unknown> | unknown) => void;

/** The equipment of every question: private stores, connections to them, and the load generator. */
export interface Rig extends Omit<Connections, 'close'> {
  options: Options;
  secret: string;
  stores: PrivateStores;
  /** For plain SQL without Prisma. */
  pool: pg.Pool;
  generator: Generator;
  /** Returns the compiled file of a path below bench/. */
  compiled(name: string): string;
  /** Writes one line about the progress to standard error. */
  tell(line: string): void;
}

/**
 * Starts everything that runs during the whole benchmark.
 *
 * @param beforeEnd remembers what to stop, also when starting fails half-way
 */
export async function startRig(options: Options, beforeEnd: BeforeEnd): Promise<Rig> {
  reportTo(createLogger('bench', 'warn'));
  const compiled = await compileBench();
  const stores = await startPrivateStores();
  beforeEnd(() => stores.stop());
  await migrate(stores.databaseUrl);
  const { close, ...connections } = await connectStores(stores.redisUrl, stores.databaseUrl);
  beforeEnd(close);
  const pool = createPool(stores.databaseUrl, POOL_CONNECTIONS);
  beforeEnd(() => pool.end());
  const secret = createSecret();
  const generator = startGenerator(compiled('load/main'), secret);
  beforeEnd(() => generator.stop());
  return { ...connections, options, secret, stores, pool, generator, compiled, tell };
}

/** Writes one line about the progress to standard error; standard output belongs to the report. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Creates a secret that signs the buyers' tokens of one run. */
export function createSecret(): string {
  return randomBytes(32).toString('hex');
}

/** Creates a pool that survives a Postgres that ends first. */
export function createPool(connectionString: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString, max });
  // Postgres ends its connections when it stops; without a listener that would end the program.
  pool.on('error', () => undefined);
  return pool;
}
