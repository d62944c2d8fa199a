import { ConfigError } from '../../process/config.js';
import { withDeadline } from '../../rules/clock.js';
import { isRedisPassing, type Redis, waitUntilReady } from '../connection.js';
import { adoptLayout } from '../layout.js';
import type { Shards } from '../shards.js';

/** The facts about a server of Redis that decide whether it can hold a sale. */
export interface ServerFacts {
  isReplica: boolean;
  isCluster: boolean;
  /** Its maxmemory-policy. */
  policy: string | undefined;
}

/** Reads the facts about a server. */
export async function readServerFacts(redis: Pick<Redis, 'info'>): Promise<ServerFacts> {
  const info = await redis.info();
  return {
    isReplica: info.includes('role:slave'),
    isCluster: info.includes('cluster_enabled:1'),
    policy: /maxmemory_policy:(\S+)/.exec(info)?.[1],
  };
}

/** Returns the reason, in words, why a Redis can't hold a sale, whatever else happens; undefined if it can. */
export function unfitness(
  { isCluster, policy }: ServerFacts,
  { isOfCluster }: Pick<Redis, 'isOfCluster'>,
): string | undefined {
  if (isCluster && !isOfCluster)
    return 'REDIS_URL leads to a Redis Cluster: begin it with redis+cluster:// or rediss+cluster://';
  if (policy === 'noeviction') return undefined;
  return `REDIS_URL leads to a Redis with maxmemory-policy ${policy}: set it to noeviction, or it may lose claims`;
}

/** Names the bucket of a connection to a Redis Cluster, for messages; '' for a Redis that has all buckets. */
export const ofBucket = ({ isOfCluster, tags }: Pick<Redis, 'isOfCluster' | 'tags'>): string =>
  isOfCluster ? ` (bucket ${tags.join().replace(/[{}]/g, '')})` : '';

/** How long a start waits for the other nodes of a cluster once one of them serves, in ms. They are waited for as they come. */
const OTHERS_MS = 1_500;

/**
 * Waits until Redis can be worked with, and refuses one that can't hold a sale: one that may evict keys, another kind than
 * REDIS_URL says, or one without its database. Of a cluster that is half down, the nodes that serve are enough. Then this
 * process works with the layout that Redis has.
 *
 * @param redis connections with the scripts
 * @throws ConfigError for such a Redis, with one line that says what to change
 */
export async function waitForFitRedis(redis: Shards): Promise<void> {
  const all = redis.shards.map(waitForFitServer);
  // /readyz tells of a server that is found unfit later.
  for (const one of all) one.catch(() => undefined);
  await Promise.race(all);
  await withDeadline(Promise.all(all), OTHERS_MS, 'connecting to Redis').catch(unlessAway);
}

async function waitForFitServer(redis: Redis): Promise<void> {
  for (;;) {
    await waitUntilReady(redis);
    const facts = await readServerFacts(redis).catch(pauseIfPassing);
    const why = facts && unfitness(facts, redis);
    if (why) throw new ConfigError(why);
    if (facts && (await adoptLayout(redis).catch(pauseIfPassing))) return;
  }
}

/**
 * Ignores that a server is away.
 *
 * @throws every other error
 */
function unlessAway(error: unknown): undefined {
  if (!isRedisPassing(error)) throw error;
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
