import { type ClaimRecord, type ClaimStatus, parseClaimRecord } from '../../rules/claim.js';
import type { OrderReason } from '../../rules/order.js';
import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';

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
 * Tells a buyer more about a claim that has ended. A buyer who has claimed again since is told about that claim instead.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param claim whose claim, and which
 * @param reason what they are told
 * @throws NotVerified when the sale isn't verified
 */
export async function setReason(
  redis: Redis,
  saleId: string,
  claim: { buyerId: string; claimId: string },
  reason: OrderReason,
): Promise<void> {
  const keys = keysOf(saleId);
  behindFence(
    await runScript(redis, 'set-reason', [keys.sale, keys.claims], [claim.buyerId, claim.claimId, reason]),
    saleId,
  );
}
