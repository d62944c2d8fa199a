import { pauseUntil } from '../processes/pause.js';
import type { Answers } from './answers.js';
import type { Answer, Call, Storefront } from './storefront.js';

/** What one simulated buyer is going to do. */
export interface BuyerPlan {
  buyerId: string;
  /** How many times they click at once. */
  clicks: number;
  /** What they do with a unit: pay, let the deadline pass, or cancel. */
  withUnit: 'pay' | 'leave' | 'cancel';
}

/**
 * How it ended for a buyer. `sold_out`, `closed`: refused, or on standby in vain. `left_standby`: went home while still waiting.
 * `unanswered`: had no final answer when patience was over.
 */
export type Ending =
  | 'paid'
  | 'cancelled'
  | 'rejected'
  | 'refunded'
  | 'sold_out'
  | 'closed'
  | 'left_standby'
  | 'unanswered';

/** Where a buyer stands for the moment. */
export type Stage = 'coming' | 'asking' | 'queued' | 'standby' | 'pending_payment' | Ending;

/** What a buyer was told. */
export interface BuyerRecord {
  plan: BuyerPlan;
  stage: Stage;
  /** Every claim they were told of, and its unit; the last one counts. */
  claims: Map<string, number>;
}

/** A buyer at a shop. */
export interface Buyer {
  record: BuyerRecord;
  saleId: string;
  token: string;
  shop: Storefront;
  answers: Answers;
  /** Fires when it is time to go home. */
  patience: AbortSignal;
  receipt?: string | undefined;
}

/** Between two attempts when the answer doesn't say when to come back. */
const RETRY_MS = 500;

const ENDINGS = new Set<string | undefined>(['paid', 'cancelled', 'rejected', 'refunded', 'closed']);

async function ask(buyer: Buyer, call: Call): Promise<Answer> {
  const startedAt = performance.now();
  const answer = await buyer.shop.ask(call, buyer.saleId, buyer.token, buyer.receipt);
  buyer.answers.note(call, answer, performance.now() - startedAt);
  if (answer.claimId && answer.unit) buyer.record.claims.set(answer.claimId, answer.unit);
  buyer.receipt = answer.receipt ?? buyer.receipt;
  return answer;
}

/** Comes back after an error: a bit later than asked for, each buyer differently, so that they don't come back as one. */
function comeBack(buyer: Buyer, ms = RETRY_MS): Promise<void> {
  return pauseUntil(ms * (1 + Math.random() / 2), buyer.patience);
}

/** What asking again doesn't change: a malformed id, a token of another shop, a sale that doesn't exist. */
const HOPELESS = [400, 401, 404];

/** An impatient buyer clicks several times at once; the best of the answers is the one that counts. */
async function click(buyer: Buyer, clicks: number): Promise<Answer> {
  const answers = await Promise.all(Array.from({ length: clicks }, () => ask(buyer, 'buy')));
  const accepted = answers.filter(answer => answer.http === 200 || answer.http === 202);
  const refused = answers.filter(answer => refusal(answer) !== undefined);
  return accepted.find(answer => answer.claimId) ?? accepted[0] ?? refused[0] ?? answers[0] ?? { http: 0 };
}

function refusal({ code }: Answer): Ending | undefined {
  if (code === 'sold_out') return 'sold_out';
  return code === 'sale_closed' ? 'closed' : undefined;
}

/** Goes home before there is a final answer. Whoever is on standby leaves the line, so that no unit comes to nobody. */
async function goHome(buyer: Buyer): Promise<Ending> {
  if (buyer.record.stage !== 'standby') return 'unanswered';
  const { http } = await ask(buyer, 'cancel');
  return http === 202 ? 'left_standby' : 'unanswered';
}

async function actOn(buyer: Buyer, { status, reason }: Answer): Promise<void> {
  if (status !== 'pending_payment' || reason === 'insufficient_funds') return;
  const { withUnit } = buyer.record.plan;
  // Asked for again with each round until it shows: repeating is harmless, and a lost request isn't the end.
  if (withUnit !== 'leave') await ask(buyer, withUnit);
}

/** Polls until the end, or until the shop knows nothing of the buyer (any more). */
async function follow(buyer: Buyer, first: Answer): Promise<Ending | 'unknown'> {
  let answer = first;
  for (;;) {
    if (answer.status === 'none') return 'unknown';
    if (ENDINGS.has(answer.status)) return answer.status as Ending;
    if (answer.status) buyer.record.stage = answer.status as Stage;
    await actOn(buyer, answer);
    if (answer.pollAfterMs) await pauseUntil(answer.pollAfterMs, buyer.patience);
    else await comeBack(buyer, answer.retryAfterMs);
    if (buyer.patience.aborted) return goHome(buyer);
    answer = await ask(buyer, 'order-status');
  }
}

/**
 * Buys as a person does: clicks, waits, pays or doesn't, and comes back after an error.
 *
 * @param buyer at a shop, with what they are going to do
 * @returns how it ended; the record says what they were told on the way
 */
export async function buy(buyer: Buyer): Promise<Ending> {
  let { clicks } = buyer.record.plan;
  while (!buyer.patience.aborted) {
    buyer.record.stage = 'asking';
    const answer = await click(buyer, clicks);
    clicks = 1;
    const refused = refusal(answer);
    if (refused) return refused;
    if (HOPELESS.includes(answer.http)) return 'unanswered';
    if (answer.status) {
      const ending = await follow(buyer, answer);
      if (ending !== 'unknown') return ending;
    }
    await comeBack(buyer, answer.retryAfterMs);
  }
  return 'unanswered';
}
