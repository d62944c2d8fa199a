import { bucketOf, keysOf, layoutNow, type Mark, markKeyOf } from './keys.js';
import { readLoadedSaleIds } from './registry.js';
import { repliesOf } from './replies.js';
import { runScript } from './scripts.js';
import type { Shards } from './shards.js';

export type { Mark } from './keys.js';

/**
 * Reads the ids of the sales with a mark, in one round trip. Sales whose keys have no bucket yet have no marks, so all of them are
 * returned.
 */
export async function readMarked(redis: Shards, mark: Mark): Promise<string[]> {
  if (layoutNow() === 'sale') return readLoadedSaleIds(redis);
  const pipelines = redis.shards.map(shard =>
    shard.pipeline(shard.tags.map(tag => ['smembers', markKeyOf(tag, mark)])),
  );
  const replies = await Promise.all(pipelines.map(pipeline => pipeline.exec()));
  return replies.flatMap(marked => repliesOf<string[][]>(marked).flat());
}

/** Marks a sale as changed. The mark comes before the change, so that nothing is missed. */
export async function markChanged(redis: Shards, saleId: string): Promise<void> {
  await redis.of(saleId).sadd(markKeyOf(bucketOf(saleId), 'changed'), saleId);
}

/**
 * Takes the mark from a sale that was compared with Postgres, unless it has changed since.
 *
 * @param version the count of its changes when it was read
 */
export async function unmarkChanged(redis: Shards, saleId: string, version: number): Promise<void> {
  await runScript(redis.of(saleId), 'unmark-changed', { keys: [keysOf(saleId).sale], args: [version] });
}
