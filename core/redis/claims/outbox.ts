import { type Claim, parseClaimRecord } from '../../rules/claim.js';
import { keysOf, placingKeyOf } from '../keys.js';
import type { Shards } from '../shards.js';
import { type Page, readAges, readOldest } from './waiting.js';

/** An accepted claim whose order Redis has not recorded, with the time at which its buyer won it, in ms. */
export type WaitingClaim = Claim & { wonAtMs: number };

/**
 * Reads the outbox of a sale by pages without end, the oldest claims first, while its reader places them. A page without
 * claims means that there are no further ones at the moment. A claim that the reader leaves in the outbox is yielded once:
 * it stays the oldest, and does not keep the reader from later ones.
 *
 * @param olderThanMs the least age of a claim, in ms; any age if not given
 * @param limit the most claims of a page
 */
export async function* outboxPages(
  redis: Shards,
  saleId: string,
  { olderThanMs, limit }: Pick<Page, 'olderThanMs' | 'limit'>,
): AsyncGenerator<WaitingClaim[]> {
  let before = new Set<string>();
  let left = 0;
  for (;;) {
    const page = await readOutbox(redis, saleId, { olderThanMs, skip: left, limit });
    const claims = page.filter(({ claimId }) => !before.has(claimId));
    left += page.length - claims.length;
    before = new Set(claims.map(({ claimId }) => claimId));
    if (claims.length > 0 || page.length < limit) yield claims;
  }
}

async function readOutbox(redis: Shards, saleId: string, page: Page): Promise<WaitingClaim[]> {
  const keys = keysOf(saleId);
  const entries = await readOldest(redis.of(saleId), keys.outbox, page);
  if (entries.length === 0) return [];
  const records = await redis.of(saleId).hmget(keys.claims, ...entries.map(entry => entry.member));
  return entries.flatMap(({ member: buyerId, atMs: wonAtMs }, i) => {
    const record = records[i];
    if (!record) return [];
    const { claimId, unit, group } = parseClaimRecord(record);
    return [{ buyerId, claimId, unit, wonAtMs, ...(group && { group }) }];
  });
}

/** For how long a worker is taken to be placing the claims of a sale after its last batch began, in ms. A batch takes some 10 ms. */
const PLACING_MS = 2_000;

/**
 * Begins to place the claims of a sale. This keeps workers from placing the same claims at once, which would cost time
 * and no claim.
 *
 * @returns false when another worker is at work
 */
export async function beginPlacing(redis: Shards, saleId: string): Promise<boolean> {
  return (await redis.of(saleId).set(placingKeyOf(saleId), 1, 'PX', PLACING_MS, 'NX')) === 'OK';
}

/** Tells other workers that this one still places the claims of a sale. */
export async function renewPlacing(redis: Shards, saleId: string): Promise<void> {
  await redis.of(saleId).set(placingKeyOf(saleId), 1, 'PX', PLACING_MS);
}

/** Lets other workers place the claims of a sale. */
export async function endPlacing(redis: Shards, saleId: string): Promise<void> {
  await redis.of(saleId).del(placingKeyOf(saleId));
}

/** Tells whether a worker places the claims of a sale, or did a moment ago. */
export async function isPlacing(redis: Shards, saleId: string): Promise<boolean> {
  return (await redis.of(saleId).exists(placingKeyOf(saleId))) === 1;
}

const OUTBOXES = { mark: 'unplaced', keyOf: (saleId: string) => keysOf(saleId).outbox } as const;

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
export function readOutboxAges(redis: Shards): Promise<Map<string, number>> {
  return readAges(redis, OUTBOXES, AGE_POSITION);
}

/**
 * Reads the age of the oldest outbox entry of all sales: how long an accepted claim has waited for its order. In ms by
 * Redis's clock; 0 without an entry.
 */
export async function outboxAgeMs(redis: Shards): Promise<number> {
  const ages = await readAges(redis, OUTBOXES, 0);
  return Math.max(0, ...ages.values());
}
