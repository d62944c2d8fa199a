/**
 * The words of a sale, each with one meaning everywhere:
 *
 * - **unit**: one of the things for sale, a number 1..N
 * - **claim**: a buyer's win of one unit, made atomically in Redis
 * - **place**: to turn a claim into an order in Postgres, under the claim's id
 * - **live**: a claim or an order that keeps its unit from everybody else
 * - **release**: to make a unit and its buyer free again; idempotent
 * - **standby**: the bounded list of buyers who get the units that come back
 * - **promote**: to give a unit to the first buyer on standby
 */

/** The form of buyer and sale ids. Each id is opaque, has one spelling, and is safe in keys, URLs and SQL. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/** The statuses of a claim, in the order in which a claim may pass through them. */
export const CLAIM_STATUSES = ['queued', 'pending_payment', 'paid', 'cancelled', 'rejected', 'refunded'] as const;
/** The status of a claim. */
export type ClaimStatus = (typeof CLAIM_STATUSES)[number];

/** The final statuses of a claim. Its unit is no longer kept for the buyer, who may buy again. */
export type EndedStatus = Extract<ClaimStatus, 'cancelled' | 'rejected' | 'refunded'>;

/** The facts needed to make a claim an order, or to release it. */
export interface Claim {
  claimId: string;
  buyerId: string;
  unit: number;
  /** The group of the buyer, such as a household, if the sale counts groups and the shop's token named one. */
  group?: string;
}

/** The most claims placed together: in one statement, and one call of the script that records orders. */
export const PLACE_BATCH_MAX = 500;

/**
 * The used share of Redis's maxmemory from which clicks are refused. The rest is for the buyers who hold a claim: their
 * payments, cancellations and expiries need jobs, and jobs need memory.
 */
export const REDIS_NEARLY_FULL = 0.85;

/** A claim as Redis stores it for its buyer. */
export interface ClaimRecord {
  claimId: string;
  unit: number;
  status: ClaimStatus;
  /** The payment deadline, in ms since the epoch; known once the order is placed. */
  payByMs?: number;
  /** Why the claim ended, or why its payment failed. */
  reason?: string;
  /** The total that went back of a paid order's money, in minor units, if there is anything. */
  refundedMinor?: number;
  /** How many orders of the buyer in this sale ended without payment, if any did and the sale counts them. */
  strikes?: number;
  /** The group of the buyer, as in {@link Claim}. */
  group?: string;
}

/** Tells whether a claim with this status keeps its unit from other buyers, and its buyer from another claim. */
export function isLive(status: ClaimStatus): boolean {
  return status === 'queued' || status === 'pending_payment' || status === 'paid';
}

/**
 * Parses a value of the claims hash in Redis: `claimId unit status payByMs reason`, with `-` for a missing value,
 * `refunded=MINOR` when something went back of a paid order's money, `strikes=N` when orders of the buyer ended without
 * payment, and `group=G` for a buyer of a group. Further words, which a later version may add, are ignored.
 *
 * @param record the value as the Lua scripts write it (core/redis/lua)
 * @throws Error when the value has another form, which no script writes
 */
export function parseClaimRecord(record: string): ClaimRecord {
  const [claimId, unit, status, payByMs, reason, ...more] = record.split(' ');
  if (!claimId || !unit || !status || !payByMs || !reason) throw new Error(`claim record of another form: ${record}`);
  const claim: ClaimRecord = { claimId, unit: Number(unit), status: status as ClaimStatus };
  if (payByMs !== '-') claim.payByMs = Number(payByMs);
  if (reason !== '-') claim.reason = reason;
  const refunded = more.find(word => /^refunded=\d+$/.test(word));
  if (refunded) claim.refundedMinor = Number(refunded.slice('refunded='.length));
  const strikes = more.find(word => /^strikes=\d+$/.test(word));
  if (strikes) claim.strikes = Number(strikes.slice('strikes='.length));
  const group = more.find(word => word.startsWith('group='));
  if (group) claim.group = group.slice('group='.length);
  return claim;
}

/** Formats a value of the claims hash in Redis, the reverse of {@link parseClaimRecord}. */
export function formatClaimRecord(claim: ClaimRecord): string {
  const record = `${claim.claimId} ${claim.unit} ${claim.status} ${claim.payByMs ?? '-'} ${claim.reason ?? '-'}`;
  const refunded = claim.refundedMinor ? ` refunded=${claim.refundedMinor}` : '';
  const strikes = claim.strikes ? ` strikes=${claim.strikes}` : '';
  return record + refunded + strikes + (claim.group === undefined ? '' : ` group=${claim.group}`);
}
