/**
 * The words of a sale, used with one meaning everywhere:
 *
 * - **unit**: one of the things for sale, a number 1..N
 * - **claim**: a buyer's win of one unit, made atomically in Redis
 * - **place**: a claim becomes an order in Postgres, under the claim's id
 * - **live**: a claim or an order that keeps its unit from everybody else
 * - **release**: unit and buyer are free again; safe to repeat
 * - **standby**: the bounded line of buyers who get the units that come back
 * - **promote**: a unit goes to the first on standby
 */

/** Buyers and sales are named alike: opaque, one spelling each, safe in keys, URLs and SQL. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/** From the win to its end; the order is the order in which a claim may pass through them. */
export const CLAIM_STATUSES = ['queued', 'pending_payment', 'paid', 'cancelled', 'rejected', 'refunded'] as const;
export type ClaimStatus = (typeof CLAIM_STATUSES)[number];

/** The ends of a claim: its unit is free, or sold to somebody else, and the buyer may buy again. */
export type EndedStatus = Extract<ClaimStatus, 'cancelled' | 'rejected' | 'refunded'>;

/** What is needed to place or release a claim. */
export interface Claim {
  claimId: string;
  buyerId: string;
  unit: number;
}

/** The most claims that are placed together: in one job, one statement, and one call of the script that writes them back. */
export const PLACE_BATCH_MAX = 500;

/** A claim as Redis keeps it for its buyer. */
export interface ClaimRecord {
  claimId: string;
  unit: number;
  status: ClaimStatus;
  /** Deadline of the payment, in ms since the epoch; known once the order is placed. */
  payByMs?: number;
  /** Why it ended, or why a payment was not taken. */
  reason?: string;
}

/**
 * @param status where a claim stands
 * @returns whether it keeps its unit and its buyer from claiming again
 */
export function isLive(status: ClaimStatus): boolean {
  return status === 'queued' || status === 'pending_payment' || status === 'paid';
}

/**
 * Reads the value of a buyer's field in the claims hash: `claimId unit status payByMs reason`, `-` for none. More words, of a
 * later version, are passed over.
 *
 * @param record the value as the scripts write it (core/redis/lua)
 * @returns the claim
 * @throws Error when the value has another form, as nothing in the system would have written it
 */
export function parseClaimRecord(record: string): ClaimRecord {
  const [claimId, unit, status, payByMs, reason] = record.split(' ');
  if (!claimId || !unit || !status || !payByMs || !reason) throw new Error(`claim record of another form: ${record}`);
  const claim: ClaimRecord = { claimId, unit: Number(unit), status: status as ClaimStatus };
  if (payByMs !== '-') claim.payByMs = Number(payByMs);
  if (reason !== '-') claim.reason = reason;
  return claim;
}

/**
 * @param claim a claim
 * @returns the value for the claims hash, the reverse of {@link parseClaimRecord}
 */
export function formatClaimRecord(claim: ClaimRecord): string {
  return `${claim.claimId} ${claim.unit} ${claim.status} ${claim.payByMs ?? '-'} ${claim.reason ?? '-'}`;
}
