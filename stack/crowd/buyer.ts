import { pauseUntil } from '../processes/pause.js';
import type { Answers } from './answers.js';
import { needsAnotherPass, requestPass } from './pass/request-pass.js';
import type { Answer, AnyCall, AskOptions, Storefront } from './storefront.js';

/** The intentions of one simulated buyer. */
export interface BuyerPlan {
  buyerId: string;
  /** How many times the buyer clicks at once. */
  clicks: number;
  /** When the buyer comes, in ms since the epoch; at some moment of the crowd's arrival if not given. */
  arrivesAtMs?: number;
  /** The time between two clicks of a script, in ms. It waits for no answer, and ends with the first one that is of use to it. */
  clicksEveryMs?: number;
  /** The use of a unit: pay, let the deadline pass, or cancel. */
  withUnit: 'pay' | 'leave' | 'cancel';
}

/**
 * How a visit ended. `sold_out` and `closed`: the buyer was refused, or was on standby in vain. `left_standby`: the buyer went
 * home from a line. `unanswered`: the buyer's patience was over before a final answer.
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

/** The stage that a buyer is in at the moment. */
export type Stage = 'coming' | 'asking' | 'joined' | 'drawing' | 'queued' | 'standby' | 'pending_payment' | Ending;

/** The answers that a buyer got, as far as they matter for the proof. */
export interface BuyerRecord {
  plan: BuyerPlan;
  stage: Stage;
  /** Every claim in an answer, and its unit. The last claim counts. */
  claims: Map<string, number>;
  /** The number of the entry for which the buyer has a receipt. */
  entry?: number;
  /** Whether the buyer was told that the lots are being drawn. */
  sawDrawing?: boolean;
}

/** A buyer at a shop. */
export interface Buyer {
  record: BuyerRecord;
  saleId: string;
  token: string;
  shop: Storefront;
  answers: Answers;
  /** Fires when the buyer is to go home. */
  patience: AbortSignal;
  receipt?: string | undefined;
  /** The pass for clicks; undefined while the buyer has none, or needs none. */
  pass?: string | undefined;
}

/** The time between two attempts when the answer names none. */
const RETRY_MS = 500;

const ENDINGS = new Set<string | undefined>(['paid', 'cancelled', 'rejected', 'refunded', 'closed']);

async function ask(buyer: Buyer, call: AnyCall, options: AskOptions = {}): Promise<Answer> {
  const { shop, saleId, token, receipt } = buyer;
  const startedAt = performance.now();
  const answer = await shop.ask(call, saleId, token, { receipt, ...options });
  buyer.answers.note(call, answer, performance.now() - startedAt);
  if (answer.claimId && answer.unit) buyer.record.claims.set(answer.claimId, answer.unit);
  if (answer.entry && answer.receipt) buyer.record.entry = answer.entry;
  if (answer.status === 'drawing') buyer.record.sawDrawing = true;
  buyer.receipt = answer.receipt ?? receipt;
  return answer;
}

/** Waits before a retry. The time varies by up to a half, so that the buyers don't come back all at once. */
function backOff(buyer: Buyer, ms = RETRY_MS): Promise<void> {
  return pauseUntil(ms * (1 + Math.random() / 2), buyer.patience);
}

/**
 * Gets a pass, with the work that it costs. It asks again until there is one, or the sale is over.
 *
 * @returns how the visit ended; undefined when the buyer may click
 */
export async function obtainPass(buyer: Buyer): Promise<Ending | undefined> {
  while (!buyer.patience.aborted) {
    const answer = await requestPass(solution => ask(buyer, 'pass', { solution }));
    if (answer.pass) buyer.pass = answer.pass;
    if (answer.pass || answer.code === 'no_pass_needed') return undefined;
    if (answer.code === 'sale_closed') return 'closed';
    if (HOPELESS.includes(answer.http)) return 'unanswered';
    await backOff(buyer, answer.retryAfterMs);
  }
  return 'unanswered';
}

/** Errors that a retry doesn't cure: a malformed id, a token of another shop, a sale that doesn't exist. */
const HOPELESS = [400, 401, 404];

/** Clicks several times at once, as an impatient buyer does, or as a script does. Returns the best of the answers. */
async function click(buyer: Buyer, clicks: number): Promise<Answer> {
  const { clicksEveryMs } = buyer.record.plan;
  const { pass } = buyer;
  const atOnce = () => Promise.all(Array.from({ length: clicks }, () => ask(buyer, 'buy', { pass })));
  const answers = await (clicksEveryMs === undefined ? atOnce() : fire(buyer, clicksEveryMs));
  const byUse = [({ claimId }: Answer) => claimId !== undefined, isAccepted, isUseful];
  return byUse.flatMap(use => answers.filter(use))[0] ?? answers[0] ?? { http: 0 };
}

/** Clicks at fixed times until an answer is of use. */
async function fire(buyer: Buyer, everyMs: number): Promise<Answer[]> {
  const fired: Promise<Answer>[] = [];
  let isOver = false;
  while (!isOver && !buyer.patience.aborted) {
    const answering = ask(buyer, 'buy', { pass: buyer.pass });
    fired.push(answering);
    void answering.then(answer => {
      isOver ||= isUseful(answer) || needsAnotherPass(answer);
    });
    await pauseUntil(everyMs, buyer.patience);
  }
  return Promise.all(fired);
}

/** An answer that another click does not better. */
const isUseful = (answer: Answer): boolean => isAccepted(answer) || refusal(answer) !== undefined;

const isAccepted = ({ http }: Answer): boolean => http === 200 || http === 202;

function refusal({ code }: Answer): Ending | undefined {
  if (code === 'sold_out') return 'sold_out';
  return code === 'sale_closed' ? 'closed' : undefined;
}

/** A buyer in one of these stages may be given a unit later. */
const IN_LINE: Stage[] = ['joined', 'drawing', 'standby'];

/** Goes home without a final answer. A buyer in a line cancels first, so that no unit goes to an absent buyer. */
async function goHome(buyer: Buyer): Promise<Ending> {
  if (!IN_LINE.includes(buyer.record.stage)) return 'unanswered';
  const { http } = await ask(buyer, 'cancel');
  return http === 202 ? 'left_standby' : 'unanswered';
}

/** Pays or cancels as planned, in each round until the status shows it. Both calls are idempotent, and one may get lost. */
async function actOn(buyer: Buyer, { status, reason }: Answer): Promise<void> {
  if (status !== 'pending_payment' || reason === 'insufficient_funds') return;
  const { withUnit } = buyer.record.plan;
  if (withUnit !== 'leave') await ask(buyer, withUnit);
}

/** Polls until the visit ends, or until the shop knows nothing of the buyer. */
async function follow(buyer: Buyer, first: Answer): Promise<Ending | 'unknown'> {
  let answer = first;
  for (;;) {
    if (answer.status === 'none') return 'unknown';
    if (ENDINGS.has(answer.status)) return answer.status as Ending;
    if (answer.status) buyer.record.stage = answer.status as Stage;
    await actOn(buyer, answer);
    if (answer.pollAfterMs) await pauseUntil(answer.pollAfterMs, buyer.patience);
    else await backOff(buyer, answer.retryAfterMs);
    if (buyer.patience.aborted) return goHome(buyer);
    answer = await ask(buyer, 'order-status');
  }
}

/**
 * Buys as a person does: clicks, waits, pays or doesn't, and retries after an error.
 *
 * @returns how the visit ended; the record has the claims on the way
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
    if (needsAnotherPass(answer)) {
      const ending = await obtainPass(buyer);
      if (ending) return ending;
      continue;
    }
    if (answer.status) {
      const ending = await follow(buyer, answer);
      if (ending !== 'unknown') return ending;
    }
    await backOff(buyer, answer.retryAfterMs);
  }
  return 'unanswered';
}
