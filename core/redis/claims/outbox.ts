import { type Claim, parseClaimRecord } from '../../rules/claim.js';
import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { type Page, readAges, readOldest } from './waiting.js';

/**
 * Reads the oldest entries of a sale's outbox, which are accepted claims whose order Redis has not recorded.
 *
 * @returns the claims, each with the time at which its buyer won it, in ms
 */
export async function readOutbox(redis: Redis, saleId: string, page: Page): Promise<(Claim & { wonAtMs: number })[]> {
  const keys = keysOf(saleId);
  const entries = await readOldest(redis, keys.outbox, page);
  if (entries.length === 0) return [];
  const records = await redis.hmget(keys.claims, ...entries.map(entry => entry.member));
  return entries.flatMap(({ member: buyerId, atMs: wonAtMs }, i) => {
    const record = records[i];
    if (!record) return [];
    const { claimId, unit } = parseClaimRecord(record);
    return [{ buyerId, claimId, unit, wonAtMs }];
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
