import type { Claim, ClaimRecord, ClaimStatus } from '../claim.js';
import { parseClaimRecord } from '../claim.js';
import type { Redis } from '../redis.js';
import { keysOf } from './keys.js';
import { msOf } from './replies.js';
import { behindFence, runScript } from './scripts.js';

/** Where an order stands, to be written onto its claim. */
export interface StatusRecord {
  buyerId: string;
  claimId: string;
  status: ClaimStatus;
  payByMs?: number;
  reason?: string | null;
}

/**
 * Writes back where orders stand, each only onto the claim it belongs to and only forward, and clears the outbox.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param records 1 to {@link PLACE_BATCH_MAX} orders
 * @returns for each whether its buyer holds that claim
 * @throws NotVerified when the sale isn't verified
 */
export async function recordStatus(redis: Redis, saleId: string, records: StatusRecord[]): Promise<boolean[]> {
  const keys = keysOf(saleId);
  const batch = records
    .map(r => `${r.buyerId} ${r.claimId} ${r.status} ${r.payByMs ?? '-'} ${r.reason ?? '-'}`)
    .join(' ');
  const reply = await runScript(redis, 'record-status', [keys.sale, keys.claims, keys.outbox], [batch]);
  return behindFence<number>(reply, saleId).map(held => held === 1);
}

/** What Redis knows of one buyer in one sale. */
export interface BuyerStatus {
  claim?: ClaimRecord;
  /** Place in the line, from 1; of whoever has no live claim. */
  position?: number;
}

/**
 * Reads where buyers stand, all in one round trip. A Redis that was restarted or emptied is never believed.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param buyerIds 1 to 256 buyers
 * @returns a status for each, in their order
 * @throws NotVerified when the sale isn't loaded, or not verified for this run of Redis; what ioredis throws
 */
export async function readStatuses(redis: Redis, saleId: string, buyerIds: string[]): Promise<BuyerStatus[]> {
  const keys = keysOf(saleId);
  const reply = await runScript(redis, 'read-status', [keys.sale, keys.claims, keys.standby], buyerIds);
  return behindFence<string | [position: number, record: string]>(reply, saleId).map(standing => {
    if (typeof standing === 'string') return claimIn(standing);
    return { ...claimIn(standing[1]), position: standing[0] };
  });
}

function claimIn(record: string): BuyerStatus {
  return record === '' ? {} : { claim: parseClaimRecord(record) };
}

/**
 * Takes a buyer out of the line.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param buyerId the buyer
 * @returns whether they were in it
 * @throws NotVerified when the sale isn't verified
 */
export async function leaveStandby(redis: Redis, saleId: string, buyerId: string): Promise<boolean> {
  const keys = keysOf(saleId);
  const reply = await runScript(redis, 'leave-standby', [keys.sale, keys.standby], [buyerId]);
  return behindFence<number>(reply, saleId)[0] === 1;
}

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
