import { type Claim, parseClaimRecord } from '../../rules/claim.js';
import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { readLoadedSaleIds } from '../registry.js';
import { msOf, repliesOf } from '../replies.js';

/**
 * Reads the oldest entries of a sale's outbox, which are accepted claims whose order Redis has not recorded.
 *
 * @returns the claims, each with the time at which its buyer won it, in ms
 */
export async function readOutbox(
  redis: Redis,
  saleId: string,
  { olderThanMs, limit }: { olderThanMs: number; limit: number },
): Promise<(Claim & { wonAtMs: number })[]> {
  const keys = keysOf(saleId);
  const until = msOf(await redis.time()) - olderThanMs;
  const entries = await redis.zrangebyscore(keys.outbox, '-inf', until, 'WITHSCORES', 'LIMIT', 0, limit);
  const buyerIds = entries.filter((_, i) => i % 2 === 0);
  if (buyerIds.length === 0) return [];
  const records = await redis.hmget(keys.claims, ...buyerIds);
  return buyerIds.flatMap((buyerId, i) => {
    const record = records[i];
    if (!record) return [];
    const { claimId, unit } = parseClaimRecord(record);
    return [{ buyerId, claimId, unit, wonAtMs: Number(entries[2 * i + 1]) }];
  });
}

const outboxKeyOf = (saleId: string) => keysOf(saleId).outbox;

/**
 * The position in an outbox, from 0, of the entry whose age is the outbox's age. One claim that Postgres refuses each
 * time stays the oldest, and says nothing about the others. So ten claims must have waited.
 */
const AGE_POSITION = 9;

/**
 * Reads how far behind the placing of orders is in each sale, by the age of the tenth oldest entry of its outbox.
 *
 * @returns the ages in ms by Redis's clock, by sale; 0 for an outbox with fewer entries
 */
export function readOutboxAges(redis: Redis): Promise<Map<string, number>> {
  return readAges(redis, outboxKeyOf, AGE_POSITION);
}

/**
 * Reads the age of the oldest outbox entry of all sales: how long an accepted claim has waited for its order. In ms by
 * Redis's clock; 0 without an entry.
 */
export async function outboxAgeMs(redis: Redis): Promise<number> {
  const ages = await readAges(redis, outboxKeyOf, 0);
  return Math.max(0, ...ages.values());
}

/**
 * Reads the age of one entry of a sorted set of each sale, whose scores are times.
 *
 * @param keyOf builds the key of a sale's set
 * @param position of the entry, counted from the oldest one, which has position 0
 * @returns the ages in ms by Redis's clock, by sale; 0 for a set with fewer entries
 */
export async function readAges(
  redis: Redis,
  keyOf: (saleId: string) => string,
  position: number,
): Promise<Map<string, number>> {
  const saleIds = await readLoadedSaleIds(redis);
  const pipeline = redis.pipeline();
  for (const id of saleIds) {
    pipeline.zrange(keyOf(id), String(position), String(position), 'WITHSCORES');
  }
  const replies = repliesOf(await pipeline.time().exec());
  const nowMs = msOf(replies.at(-1) as string[]);
  return new Map(
    saleIds.map((id, i) => {
      const [, wonAtMs] = replies[i] as string[];
      return [id, wonAtMs === undefined ? 0 : nowMs - Number(wonAtMs)];
    }),
  );
}
