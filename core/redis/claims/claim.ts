import { randomPartOf } from '../../identity/claim-id.js';
import { crashPoint } from '../../process/crash-point.js';
import { type Claim, type ClaimRecord, parseClaimRecord } from '../../rules/claim.js';
import { DeadlineExceeded } from '../../rules/errors.js';
import { allKeysOf } from '../keys.js';
import { Reservation } from '../purchases/reservation.js';
import type { ReadRules } from '../purchases/rules.js';
import { runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/** The most buyers in one call of the script claim.lua, which then blocks Redis for about 0.2 ms. */
export const CLAIM_BATCH_MAX = 128;

/**
 * The reasons for which a whole sale gives out no unit. `unverified`: it was not compared with Postgres in this run of
 * Redis. `not_joining`: buyers may not join yet a line that exists before the opening. `locks_away`, of single buyers: the node of a Redis Cluster that has the buyer's purchase lock is away.
 */
export type SaleRefusal =
  | 'unknown_sale'
  | 'unverified'
  | 'closed'
  | 'paused'
  | 'not_open'
  | 'not_joining'
  | 'locks_away';

/**
 * A rule about all purchases of one buyer. `interval`: the pause between two purchases is not over. `purchase`: another
 * purchase is neither paid nor ended.
 */
export type TooSoon = 'interval' | 'purchase';

/** The outcome for one buyer of a batch who asked for a unit. */
export type ClaimOutcome =
  | { kind: 'won'; claim: Claim }
  | { kind: 'held'; claim: ClaimRecord }
  | { kind: 'standby'; position: number }
  /** In the line of a sale whose order is not made yet. `entry`: the number of an entry from before the opening. */
  | { kind: 'joined'; entry: number | undefined; isBeforeOpening: boolean }
  | { kind: 'sold_out' }
  /** A purchase rule refuses the buyer: another purchase is unfinished, or too recent. */
  | { kind: 'too_soon'; because: TooSoon; waitMs: number }
  /** Too many orders of the buyer in this sale ended without payment. */
  | { kind: 'unpaid_limit' }
  /** An order of the buyer in this sale ended without payment: for `waitMs` the free units are for everybody else. */
  | { kind: 'others_first'; waitMs: number }
  /** The group of the buyer has all of its units. */
  | { kind: 'group_limit' }
  | { kind: 'refused'; refusal: SaleRefusal; opensAtMs?: number };

/** One buyer of a batch, and an id for a new claim of this buyer, whose time becomes that of Redis. */
export type ClaimRequest = Pick<Claim, 'buyerId' | 'claimId' | 'group'>;

/**
 * Claims one unit of a sale for each buyer, in one atomic step. It is one round trip, unless the sale has rules about purchases,
 * is on a Redis Cluster and may give out something: then the buyers' locks are taken before.
 *
 * @param requests 1 to {@link CLAIM_BATCH_MAX} buyers
 * @returns an outcome for each buyer, in the same order
 * @throws ioredis's error: the outcome is unknown, so claim again; a buyer who won gets the same claim
 */
export async function claim(redis: Shards, saleId: string, requests: ClaimRequest[]): Promise<ClaimOutcome[]> {
  const batch = requests.map(({ buyerId, claimId }) => `${buyerId} ${randomPartOf(claimId)}`).join(' ');
  const groups = requests.some(({ group }) => group) ? requests.map(({ group = '-' }) => group).join(' ') : '';
  const ask = (locks = '') =>
    runScript(redis.of(saleId), 'claim', { keys: allKeysOf(saleId), args: [batch, locks, groups] });
  const reply = (await ask()) as ClaimReply | NeedsLocks;
  if (reply[0] !== 'needs_locks') return outcomesOf(reply as ClaimReply, requests);
  const buyerIds = requests.map(({ buyerId }) => buyerId);
  const locks = await Reservation.take(redis, { saleId, buyerIds, rules: rulesIn(reply as NeedsLocks) });
  await crashPoint('claim.locked');
  // After an error the outcome is unknown, and nothing is given back: a claim that was made needs its lock.
  const locked = (await ask(locks.argument)) as ClaimReply | NeedsLocks;
  await crashPoint('claim.decided');
  const isTooLate = locked[0] === 'needs_locks';
  const outcomes = isTooLate ? [] : outcomesOf(locked as ClaimReply, requests);
  locks.resolve(outcomes.flatMap(outcome => (outcome.kind === 'won' ? [outcome.claim] : [])));
  if (isTooLate) throw new DeadlineExceeded(`the locks for a claim in sale ${saleId} were taken too long before`);
  return outcomes;
}

type ClaimReply = [verdict: string, refusal: string, opensAtMs: string, idStart: string, ...OutcomeReply[]];

/** The reply of a claim that needs the locks of its buyers. */
type NeedsLocks = ['needs_locks', one: 0 | 1, pauseMs: number, lockMs: number, atMs: number];

const rulesIn = ([, one, pauseMs, lockMs, atMs]: NeedsLocks): ReadRules => ({ one: one === 1, pauseMs, lockMs, atMs });

function outcomesOf(reply: ClaimReply, requests: readonly ClaimRequest[]): ClaimOutcome[] {
  const [fence, refusal, opensAtMs, idStart] = reply;
  if (fence !== 'ok') return requests.map(() => ({ kind: 'refused', refusal: fence as SaleRefusal }));
  const refused: ClaimOutcome =
    refusal === ''
      ? { kind: 'sold_out' }
      : { kind: 'refused', refusal: refusal as SaleRefusal, opensAtMs: Number(opensAtMs) };
  return requests.map(({ buyerId, claimId }, i) => {
    const value = reply[i + 4] as OutcomeReply;
    if (value === 0) return refused;
    if (typeof value !== 'number' || value < 0) return outcomeOf(value);
    return { kind: 'won', claim: { claimId: idStart + randomPartOf(claimId), buyerId, unit: value } };
  });
}

type OutcomeReply =
  | string
  | number
  | [kind: 'joined', entry: number, isBeforeOpening: 0 | 1]
  | [because: TooSoon | 'away' | 'unpaid_limit' | 'others_first' | 'group_limit', waitMs: number];

/** Returns the outcome for a buyer who was not refused, and has no new claim. */
function outcomeOf(value: OutcomeReply): ClaimOutcome {
  if (typeof value === 'number') return { kind: 'standby', position: -value };
  if (typeof value === 'string') return { kind: 'held', claim: parseClaimRecord(value) };
  if (value[0] === 'joined') {
    return { kind: 'joined', entry: value[1] === 0 ? undefined : value[1], isBeforeOpening: value[2] === 1 };
  }
  const [because, waitMs] = value;
  if (because === 'unpaid_limit' || because === 'group_limit') return { kind: because };
  if (because === 'others_first') return { kind: because, waitMs };
  if (because === 'away') return { kind: 'refused', refusal: 'locks_away' };
  return { kind: 'too_soon', because, waitMs };
}
