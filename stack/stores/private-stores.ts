import { join, resolve } from 'node:path';
import { type PostgresServer, startPostgres } from './postgres-server.js';
import { type RedisServer, startRedis } from './redis-server.js';
import { removeTemporary, temporaryFolder } from './temporary-folder.js';

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
