import type { Redis } from 'ioredis';
import { ConfigError } from '../../process/config.js';
import { isRedisPassing, waitUntilReady } from '../connection.js';
import { adoptLayout } from '../layout.js';

/** The facts about a server of Redis that decide whether it can hold a sale. */
export interface ServerFacts {
  isReplica: boolean;
  isCluster: boolean;
  /** Its maxmemory-policy. */
  policy: string | undefined;
}

/** Reads the facts about a server. */
export async function readServerFacts(redis: Redis): Promise<ServerFacts> {
  const info = await redis.info();
  return {
    isReplica: info.includes('role:slave'),
    isCluster: info.includes('cluster_enabled:1'),
    policy: /maxmemory_policy:(\S+)/.exec(info)?.[1],
  };
}

/** Returns the reason, in words, why a Redis can't hold a sale, whatever else happens; undefined if it can. */
export function unfitness({ isCluster, policy }: ServerFacts): string | undefined {
  if (isCluster) {
    return 'REDIS_URL leads to a Redis Cluster, which Dropline does not support: use one Redis, alone or behind Sentinels';
  }
  if (policy === 'noeviction') return undefined;
  return `REDIS_URL leads to a Redis with maxmemory-policy ${policy}: set it to noeviction, or it may lose claims`;
}

/**
 * Waits until a connection is ready, and refuses a Redis that can't hold a sale: one that may evict keys, a Cluster, or one
 * without the database of REDIS_URL. Then this process works with the layout that Redis has.
 *
 * @param redis a connection with the scripts
 * @throws ConfigError for such a Redis, with one line that says what to change
 */
export async function waitForFitRedis(redis: Redis): Promise<void> {
  for (;;) {
    await waitUntilReady(redis);
    const facts = await readServerFacts(redis).catch(pauseIfPassing);
    const why = facts && unfitness(facts);
    if (why) throw new ConfigError(why);
    if (facts && (await adoptLayout(redis).catch(pauseIfPassing))) return;
  }
}

/** Pause before a server that was lost while it answered is asked again, in ms. */
const ASK_AGAIN_MS = 500;

/**
 * Pauses after an error that passes.
 *
 * @throws every other error
 */
async function pauseIfPassing(error: unknown): Promise<undefined> {
  if (!isRedisPassing(error)) throw error;
  await new Promise(resolve => setTimeout(resolve, ASK_AGAIN_MS));
}
