import type { Redis } from '../connection.js';
import { type Mark, readMarked } from '../marks.js';
import { msOf, repliesOf } from '../replies.js';
import type { Shards } from '../shards.js';

// Sorted sets of what waits to be dealt with: the outbox and the clicks to pay. The score of an entry is its time, in ms by
// Redis's clock.

/** The entries to read of a set. */
export interface Page {
  /** The least age of an entry, in ms; any age if not given. */
  olderThanMs?: number | undefined;
  /** The number of the oldest entries to pass over; 0 if not given. */
  skip?: number;
  /** The most entries. */
  limit: number;
}

/** Reads the entries of a set that have waited for a while, the oldest first. */
export async function readOldest(
  redis: Redis,
  key: string,
  { olderThanMs, skip = 0, limit }: Page,
): Promise<{ member: string; atMs: number }[]> {
  const until = olderThanMs === undefined ? '+inf' : msOf(await redis.time()) - olderThanMs;
  const entries = await redis.zrangebyscore(key, '-inf', until, 'WITHSCORES', 'LIMIT', skip, limit);
  const members = entries.filter((_, i) => i % 2 === 0);
  return members.map((member, i) => ({ member, atMs: Number(entries[2 * i + 1]) }));
}

/**
 * Reads the age of one entry of a sorted set of each sale that has one, whose scores are times.
 *
 * @param mark of the sales whose set has entries, and `keyOf` builds the key of the set
 * @param position of the entry, counted from the oldest one, which has position 0
 * @returns the ages in ms by Redis's clock, by sale; 0 for a set with fewer entries
 */
export async function readAges(
  redis: Shards,
  { mark, keyOf }: { mark: Mark; keyOf: (saleId: string) => string },
  position: number,
): Promise<Map<string, number>> {
  const ages = await Promise.all(
    redis.shards.map(async shard => {
      const saleIds = await readMarked(shard, mark);
      const pipeline = shard.pipeline();
      for (const id of saleIds) pipeline.zrange(keyOf(id), String(position), String(position), 'WITHSCORES');
      const replies = repliesOf(await pipeline.time().exec());
      const nowMs = msOf(replies.at(-1) as string[]);
      return saleIds.map((id, i): [string, number] => {
        const [, atMs] = replies[i] as string[];
        return [id, atMs === undefined ? 0 : nowMs - Number(atMs)];
      });
    }),
  );
  return new Map(ages.flat());
}
