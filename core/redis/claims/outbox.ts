import { type Claim, parseClaimRecord } from '../../rules/claim.js';
import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { readLoadedSaleIds } from '../registry.js';
import { msOf } from '../replies.js';

/**
 * Reads claims that were accepted and not placed for a while.
 *
 * @param redis a connection
 * @param saleId the sale
 * @param olderThanMs how long ago they were won at least, in ms by Redis's clock
 * @param limit how many, at most
 * @returns the oldest of them, with the time they were won
 */
export async function readOutbox(
  redis: Redis,
  saleId: string,
  olderThanMs: number,
  limit: number,
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

/**
 * @param redis a connection
 * @returns how long ago the oldest claim was won that has no order yet, in any sale, in ms by Redis's clock; 0 when there is none
 */
export async function outboxAgeMs(redis: Redis): Promise<number> {
  const saleIds = await readLoadedSaleIds(redis);
  const oldest = await Promise.all(
    saleIds.map(id => redis.zrangebyscore(keysOf(id).outbox, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)),
  );
  const nowMs = msOf(await redis.time());
  return Math.max(0, ...oldest.map(([, wonAtMs]) => (wonAtMs === undefined ? 0 : nowMs - Number(wonAtMs))));
}
