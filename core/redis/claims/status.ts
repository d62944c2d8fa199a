import { type ClaimRecord, type ClaimStatus, parseClaimRecord } from '../../rules/claim.js';
import { type OrderReason, STRIKES } from '../../rules/order.js';
import { keysOf } from '../keys.js';
import { endPurchases } from '../purchases/purchases.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/** The status of an order in Postgres, to be recorded on its claim in Redis. */
export interface StatusRecord {
  buyerId: string;
  claimId: string;
  status: ClaimStatus;
  payByMs?: number;
  reason?: string | null;
  /** The total that went back of a paid order's money, in minor units. */
  refundedMinor?: number;
}

/** The script's outcome for a held claim whose purchase is over, if its buyer's lock is on another node of a cluster. */
const IS_OVER = 2;

/**
 * Records the statuses of orders on their claims in Redis, and removes these claims from the outbox. A status never
 * moves backward. The purchases of paid orders are over.
 *
 * @param records 1 to {@link PLACE_BATCH_MAX} orders
 * @returns for each order, whether its buyer still holds its claim
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis
 */
export async function recordStatus(redis: Shards, saleId: string, records: StatusRecord[]): Promise<boolean[]> {
  const keys = keysOf(saleId);
  const batch = records
    .map(r => `${r.buyerId} ${r.claimId} ${r.status} ${r.payByMs ?? '-'} ${r.reason ?? '-'} ${r.refundedMinor ?? '-'}`)
    .join(' ');
  const reply = await runScript(redis.of(saleId), 'record-status', {
    keys: [keys.sale, keys.claims, keys.outbox],
    args: [batch],
  });
  const outcomes = behindFence<0 | 1 | typeof IS_OVER>(reply, saleId);
  await endPurchases(
    redis,
    records.filter((_, i) => outcomes[i] === IS_OVER),
  );
  return outcomes.map(outcome => outcome !== 0);
}

/** The claim and the standby position of one buyer in one sale, as Redis has them. */
export interface BuyerStatus {
  claim?: ClaimRecord;
  /** Position on standby, from 1; missing for a buyer with a live claim. */
  position?: number;
  /** Whether the buyer is in a line whose order is not made yet. */
  isJoined?: boolean;
  /** The number of the buyer's entry, for a buyer in a line that they joined before the opening. */
  entry?: number;
}

/**
 * Reads the claims and standby positions of buyers in one round trip. After a restart or a loss of data, Redis answers
 * only once the sale was compared with Postgres.
 *
 * @param buyerIds at least 1, at most 256
 * @returns a status for each buyer, in the same order
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis; ioredis's
 * error
 */
export async function readStatuses(redis: Shards, saleId: string, buyerIds: string[]): Promise<BuyerStatus[]> {
  const keys = keysOf(saleId);
  const reply = await runScript(redis.of(saleId), 'read-status', {
    keys: [keys.sale, keys.claims, keys.standby],
    args: buyerIds,
  });
  return behindFence<string | [position: number, record: string, entry: number]>(reply, saleId).map(standing => {
    if (typeof standing === 'string') return claimIn(standing);
    const [position, record, entry] = standing;
    const place = position === 0 ? { isJoined: true } : { position };
    return { ...claimIn(record), ...place, ...(entry === 0 ? {} : { entry }) };
  });
}

function claimIn(record: string): BuyerStatus {
  return record === '' ? {} : { claim: parseClaimRecord(record) };
}

/**
 * Adds a reason, which the buyer sees, to a claim that has ended. A newer claim of the same buyer stays untouched. An end that was a
 * strike is none any more with a reason that is none.
 *
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis
 */
export async function setReason(
  redis: Shards,
  saleId: string,
  { buyerId, claimId, reason }: { buyerId: string; claimId: string; reason: OrderReason },
): Promise<void> {
  const keys = keysOf(saleId);
  behindFence(
    await runScript(redis.of(saleId), 'set-reason', {
      keys: [keys.sale, keys.claims],
      args: [buyerId, claimId, reason, STRIKES.join(' ')],
    }),
    saleId,
  );
}
