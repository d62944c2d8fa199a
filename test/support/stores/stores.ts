import { afterAll, beforeAll } from '@jest/globals';
import { type Redis, waitUntilReady } from '#core/redis/connection.js';
import type { StepContext } from '#core/steps/context.js';
import { connectStores } from '#stack/stores/connections.js';
import { startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { createMigratedDatabase } from './shared-postgres.js';

const READY_MS = 60_000;
/** Enough for steps that race each other. */
const DATABASE_CONNECTIONS = 16;

/** The context of a step, on a Redis and a migrated database that belong to one test file. */
export interface TestStores extends StepContext {
  redis: Redis;
  databaseUrl: string;
  redisUrl: string;
  /**
   * Kills Redis with `kill -9` and starts it again on the same folder and port. Resolves when the connection is ready.
   *
   * @param meanwhile changes the folder while Redis is down
   */
  restartRedis(meanwhile?: (folder: string) => Promise<void>): Promise<void>;
  redisFolder: string;
}

/**
 * Starts a private Redis and creates a private database before the tests of the calling file. Both end after the tests.
 *
 * @returns the stores, usable once the tests run
 */
export function useStores(): TestStores {
  const stores = {} as TestStores;
  let close: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    const started = await startStores();
    close = started.close;
    Object.assign(stores, started.stores);
  });
  afterAll(() => close?.());
  return stores;
}

async function startStores(): Promise<{ stores: TestStores; close(): Promise<void> }> {
  const redisFolder = await createTemporaryFolder();
  let server = await startRedis({ dir: redisFolder });
  const [redisUrl, databaseUrl] = [server.url, await createMigratedDatabase()];
  const connections = await connectStores(redisUrl, databaseUrl, DATABASE_CONNECTIONS);
  const restartRedis: TestStores['restartRedis'] = async meanwhile => {
    await server.kill();
    await meanwhile?.(redisFolder);
    server = await startRedis({ dir: redisFolder, port: server.port });
    await connections.redis.ping().catch(() => waitUntilReady(connections.redis, READY_MS));
  };
  const close = async () => {
    await connections.close();
    await server.stop();
    await removeTemporaryFolder(redisFolder);
  };
  return { stores: { ...connections, databaseUrl, redisUrl, redisFolder, restartRedis }, close };
}
