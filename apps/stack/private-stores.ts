import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type PostgresServer, startPostgres } from './postgres-server.js';
import { everybodyReaches } from './postgres-user.js';
import { type RedisServer, startRedis } from './redis-server.js';
import { serverFolder } from './server.js';
import { keep, removeAtEnd } from './watchdog.js';

export interface PrivateStoresOptions {
  /** Where the data is kept across restarts; without it the data is temporary. */
  dataDir?: string;
}

/** A Redis and a Postgres that nobody else uses, and that end when this process does, whatever ends it. */
export interface PrivateStores {
  redisUrl: string;
  databaseUrl: string;
  /** Where the data is. */
  folder: string;
  redis: RedisServer;
  postgres: PostgresServer;
  /** Ends both, and removes temporary data. Calling it again does nothing. */
  stop(): Promise<void>;
}

/** A new temporary folder; if the user's own can't be entered by others, one that can. */
async function temporaryFolder(): Promise<string> {
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find(folder => everybodyReaches(folder)) ?? tmpdir();
  const folder = join(parent, `dropline-${randomUUID()}`);
  // First the promise to remove it, then the folder: so there is no moment at which it can be left over.
  await removeAtEnd(folder);
  await serverFolder(folder);
  return folder;
}

async function removeTemporary(folder: string): Promise<void> {
  // A killed server's last process may still be writing.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  await keep(folder);
}

/**
 * Starts both stores. Whatever happens to this process (a normal end, Ctrl-C, an uncaught exception, SIGKILL), nothing is left
 * running and no temporary folder stays; call stop() to wait for that.
 *
 * @param options where the data is kept, if it is
 * @returns both, ready
 * @throws when a store can't be started, with what to do about it; nothing is left running then either
 */
export async function startPrivateStores({ dataDir }: PrivateStoresOptions = {}): Promise<PrivateStores> {
  const folder = dataDir === undefined ? await temporaryFolder() : resolve(dataDir);
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(started.map(server => server.stop()));
    if (dataDir === undefined) await removeTemporary(folder);
  };
  try {
    // Postgres first: it holds the lock of the data folder, so two stacks can't run on one.
    const postgres = await startPostgres({ dir: join(folder, 'postgres') });
    started.push(postgres);
    const redis = await startRedis({ dir: join(folder, 'redis') });
    started.push(redis);
    let stopped: Promise<void> | undefined;
    return {
      redisUrl: redis.url,
      databaseUrl: postgres.url,
      folder,
      redis,
      postgres,
      stop() {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
