import { type Claim, type ClaimRecord, parseClaimRecord } from '../../rules/claim.js';
import type { Redis } from '../connection.js';
import { allKeysOf } from '../keys.js';
import { runScript } from '../scripts.js';

/** The most buyers that one call of the claim script may carry: it runs for about 0.2 ms, and nobody waits for longer. */
export const CLAIM_BATCH_MAX = 128;

/** Why a whole sale gives out nothing at the moment. */
export type SaleRefusal = 'unknown_sale' | 'unverified' | 'closed' | 'paused' | 'not_open';

/** `interval`: the pause between two purchases isn't over. `purchase`: another one is neither paid nor ended. */
export type TooSoon = 'interval' | 'purchase';

/** What one buyer of a batch got. */
export type ClaimOutcome =
  | { kind: 'won'; claim: Claim }
  | { kind: 'held'; claim: ClaimRecord }
  | { kind: 'standby'; position: number }
  | { kind: 'sold_out' }
  /** Another purchase of the buyer is in progress, or was won a short while ago. */
  | { kind: 'too_soon'; because: TooSoon; waitMs: number }
  | { kind: 'refused'; refusal: SaleRefusal; opensAtMs?: number };

/** One buyer of a batch, with the id that the claim gets if there is one. */
export type ClaimRequest = Pick<Claim, 'buyerId' | 'claimId'>;

/**
 * Claims one unit for each buyer, in one round trip and one atomic step.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param requests 1 to {@link CLAIM_BATCH_MAX} buyers
 * @returns an outcome for each buyer, in their order
 * @throws what ioredis throws: then the outcome is unknown, and claiming again is the way to learn it
 */
export async function claim(redis: Redis, saleId: string, requests: ClaimRequest[]): Promise<ClaimOutcome[]> {
  const batch = requests.map(({ buyerId, claimId }) => `${buyerId} ${claimId}`).join(' ');
  const reply = (await runScript(redis, 'claim', allKeysOf(saleId), [batch])) as [
    string,
    string,
    string,
    ...OutcomeReply[],
  ];
  const [fence, refusal, opensAtMs] = reply;
  if (fence !== 'ok') return requests.map(() => ({ kind: 'refused', refusal: fence as SaleRefusal }));
  const refused: ClaimOutcome =
    refusal === ''
      ? { kind: 'sold_out' }
      : { kind: 'refused', refusal: refusal as SaleRefusal, opensAtMs: Number(opensAtMs) };
  return requests.map((request, i) => outcomeOf(reply[i + 3] as OutcomeReply, request, refused));
}

type OutcomeReply = string | number | [because: TooSoon, waitMs: number];

function outcomeOf(value: OutcomeReply, request: ClaimRequest, refused: ClaimOutcome): ClaimOutcome {
  if (Array.isArray(value)) return { kind: 'too_soon', because: value[0], waitMs: value[1] };
  if (typeof value === 'string') return { kind: 'held', claim: parseClaimRecord(value) };
  if (value > 0) return { kind: 'won', claim: { claimId: request.claimId, buyerId: request.buyerId, unit: value } };
  return value < 0 ? { kind: 'standby', position: -value } : refused;
}
