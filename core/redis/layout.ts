import { setTimeout } from 'node:timers/promises';
import { NotVerified } from '../rules/errors.js';
import type { Redis } from './connection.js';
import { type Layout, OLD_REGISTRY, prefixOf, registryKeyOf, workWith } from './keys.js';
import { readLoadedSaleIds } from './registry.js';
import { runScript } from './scripts.js';
import type { Shards } from './shards.js';

// Versions before buckets named keys in another way. A Redis with sales of such a version keeps their names until an operator
// moves them (`cli move-keys`), once no process of that version runs. All processes work with the layout that Redis has.

/** The key that exists once keys are named by buckets. Its hash tag is the old registry, as one script uses both. */
const LAYOUT = `{${OLD_REGISTRY}}:layout`;

/**
 * Lets this process work with the layout that Redis has. A Redis without sales gets the layout with buckets, and a Redis Cluster
 * never had another one.
 *
 * @throws ioredis's error: the layout of this process stays
 */
export async function adoptLayout(redis: Shards): Promise<Layout> {
  const layout = redis.isOfCluster ? 'bucket' : await decideLayout(serverOf(redis));
  workWith(layout);
  return layout;
}

async function decideLayout(server: Redis): Promise<Layout> {
  return (await runScript(server, 'decide-layout', { keys: [LAYOUT, OLD_REGISTRY], args: [] })) as Layout;
}

/** Returns the only server. It has all keys, so any id will do. */
const serverOf = (redis: Shards): Redis => redis.of('');

/** Time between two looks at the layout while keys without buckets may be moved at any time, in ms. */
const LOOK_EVERY_MS = 50;

/**
 * Follows the layout that Redis has: until it is the one with buckets, and again after each connection, as an operator may bring
 * back a copy of Redis. Until this process notices that the keys were moved, scripts find no sale, and refuse.
 */
export function followLayout(redis: Shards): void {
  if (redis.isOfCluster) return;
  const server = serverOf(redis);
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    // Without Redis nothing is done with keys, so a later look is soon enough.
    while (server.status !== 'end' && (await adoptLayout(server).catch(() => undefined)) !== 'bucket') {
      await setTimeout(LOOK_EVERY_MS, undefined, { ref: false });
    }
    isLooking = false;
  };
  server.on('ready', look);
  void look();
}

/** The most times that the keys are listed again, as sales come and go meanwhile. */
const MOVE_TRIES = 10;

/**
 * Moves the keys of all sales to the layout with buckets, in one atomic step. Other processes notice it within some 50 ms, and find
 * no sale until then.
 *
 * @returns the number of sales; undefined when the keys have that layout
 * @throws Error when sales come and go all the time; ioredis's error
 */
export async function moveKeys(redis: Shards): Promise<number | undefined> {
  for (let i = 0; i < MOVE_TRIES; i += 1) {
    if ((await adoptLayout(redis)) === 'bucket') return undefined;
    const saleIds = await readLoadedSaleIds(redis).catch(unlessMoved);
    if (!saleIds) continue;
    const args = saleIds.flatMap(id => [id, prefixOf(id, 'sale'), prefixOf(id, 'bucket'), registryKeyOf(id, 'bucket')]);
    if ((await runScript(serverOf(redis), 'move-keys', { keys: [LAYOUT, OLD_REGISTRY], args })) !== 1) continue;
    await adoptLayout(redis);
    return saleIds.length;
  }
  throw new Error('sales come and go all the time: try again');
}

/**
 * Returns undefined when the keys were moved since this process last looked at the layout: its next look says so.
 *
 * @throws every other error
 */
export function unlessMoved(error: unknown): undefined {
  if (!(error instanceof NotVerified)) throw error;
}
