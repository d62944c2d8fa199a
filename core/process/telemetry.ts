import { SECOND_MS } from '../rules/clock.js';
import type { Logger } from './logger.js';
import { counter, gauge, histogram } from './metrics.js';

// What happens, in the words of core/rules/claim.ts: one function per report, a metric always, a log line where it is rare.
// None of them ever throws, as telling must not undo what happened. Labels have few values: a sale, a buyer or a claim
// is named only in the log.

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const BUYERS = [1, 2, 4, 8, 16, 32, 64, 128];

const claims = counter('claims_total', 'Claims answered, by outcome', 'outcome');
const claimBuyers = histogram('claim_batch_buyers', 'Buyers in one call of the claim script', BUYERS);
const claimSeconds = histogram('claim_seconds', 'Round trip of one call of the claim script', SECONDS);
const fromMemory = counter('refused_from_memory_total', 'Buyers refused without asking Redis');
const problems = counter('problems_total', 'Answers that are an error, by code', 'code');
const waiters = gauge('waiters', 'Requests and streams that wait for news');
const jobs = counter('jobs_total', 'Jobs done, failed and not queued', 'job', 'outcome');
const jobSeconds = histogram('job_seconds', 'Time a job took', SECONDS, 'job');
const actorRuns = counter('actor_runs_total', 'Rounds of the maintenance actors', 'actor', 'outcome');
const actorSeconds = histogram('actor_seconds', 'Time a round took', SECONDS, 'actor');
const orders = counter('orders_total', 'Orders and claims that went on, by where to', 'became');
const givenUp = counter('claims_given_up_total', 'Accepted claims that could not be placed, by why', 'why');
const repairs = counter('repairs_total', 'Differences between Redis and Postgres that were repaired', 'kind');
const payments = counter('payment_reports_total', 'What providers told of payments, by what came of it', 'outcome');
const lateMoney = counter(
  'late_money_total',
  'Payments that came after their order had ended, by what became of them',
  'became',
);
const shopEvents = counter('shop_events_total', 'Deliveries of events to the shop', 'outcome');
const issuerReads = counter('issuer_reads_total', "Readings of the issuer's keys, by outcome", 'outcome');
const storeErrors = counter('store_errors_total', 'Lost connections and failed calls', 'store');
const surprises = counter('unexpected_errors_total', 'Errors that nobody expected', 'where');

let log: Logger | undefined;

/** @param logger where the rare events are written from now on; before, they are only counted */
export function reportTo(logger: Logger): void {
  log = logger;
}

/**
 * One call of the claim script was answered.
 *
 * @param outcomes how many buyers got which outcome
 * @param seconds its round trip
 */
export const claimsAnswered = report((outcomes: ReadonlyMap<string, number>, seconds: number) => {
  let buyers = 0;
  for (const [outcome, count] of outcomes) {
    claims.inc({ outcome }, count);
    buyers += count;
  }
  claimBuyers.observe(buyers);
  claimSeconds.observe(seconds);
});

/**
 * Buyers were refused without asking Redis.
 *
 * @param counts how many since the last time, by the code of the refusal
 */
export const refusedFromMemory = report((counts: { sold_out: number; closed: number }) => {
  const { sold_out, closed } = counts;
  if (sold_out + closed === 0) return;
  fromMemory.inc(sold_out + closed);
  claims.inc({ outcome: 'sold_out' }, sold_out);
  claims.inc({ outcome: 'closed' }, closed);
  problems.inc({ code: 'sold_out' }, sold_out);
  problems.inc({ code: 'sale_closed' }, closed);
});

/** Redis had lost a claim, and its buyer's receipt brought it back. */
export const claimRestored = report((saleId: string, claimId: string) => {
  repairs.inc({ kind: 'receipt' });
  log?.warn({ saleId, claimId }, 'claim restored from its receipt');
});

/** Somebody waits for news, or doesn't any more. */
export const waitersCounted = report((count: number) => waiters.set(count));

/** A client was answered with an error. */
export const problemSent = report((code: string) => problems.inc({ code }));

/** Something was thrown that nobody expected. */
export const brokeUnexpectedly = report((where: string, err: unknown) => {
  surprises.inc({ where });
  warnRarely('unexpected error', { where, err });
});

/** A connection was lost, or a call could not be answered in time. */
export const storeFailed = report((store: 'redis' | 'postgres', err: unknown) => {
  storeErrors.inc({ store });
  warnRarely(`${store} failed`, { err });
});

/** The keys of the shop's issuer are known, and good until the next reading. */
export const issuerRead = report((keys: number) => {
  issuerReads.inc({ outcome: 'done' });
  log?.debug({ keys }, 'keys of the issuer read');
});

/** Those that were read last stay good. */
export const issuerFailed = report((err: unknown) => {
  issuerReads.inc({ outcome: 'failed' });
  warnRarely('could not read the keys of the issuer', { err });
});

/** Nothing is lost by it: the outbox and Postgres still hold what the job would have done. */
export const enqueueFailed = report((job: string, err: unknown) => {
  jobs.inc({ job, outcome: 'not_queued' });
  warnRarely(`could not queue ${job}`, { err });
});

/** A job ran to its end. */
export const jobDone = report((job: string, seconds: number) => {
  jobs.inc({ job, outcome: 'done' });
  jobSeconds.observe({ job }, seconds);
});

/** A job failed. It may be tried again, and compensates nothing. */
export const jobFailed = report((job: string, err: unknown) => {
  jobs.inc({ job, outcome: 'failed' });
  warnRarely(`${job} failed`, { err });
});

/** A maintenance actor did its round. */
export const actorRan = report((actor: string, seconds: number) => {
  actorRuns.inc({ actor, outcome: 'done' });
  actorSeconds.observe({ actor }, seconds);
});

/** It tries again at its next time. */
export const actorFailed = report((actor: string, err: unknown) => {
  actorRuns.inc({ actor, outcome: 'failed' });
  warnRarely(`${actor} failed`, { err });
});

/** Claims became orders. */
export const ordersPlaced = report((count: number) => orders.inc({ became: 'placed' }, count));

/** Claims were found in the outbox that nobody had placed. */
export const claimsRescued = report((count: number) => orders.inc({ became: 'rescued' }, count));

type WhyGivenUp = 'conflict' | 'lost' | 'refused';

/** Accepted claims can't become orders: in `conflict` with live orders, `lost` by Redis, or `refused` by Postgres for what is in them. */
export const claimsGivenUp = report((why: WhyGivenUp, saleId: string, claims: object[], err?: unknown) => {
  givenUp.inc({ why }, claims.length);
  log?.error({ err, saleId, why, claims }, 'claims are given up');
});

/** Orders were not paid by their deadline. */
export const ordersExpired = report((count: number) => orders.inc({ became: 'expired' }, count));

/** Orders were paid, from a wallet or at a provider. */
export const ordersPaid = report((count: number) => orders.inc({ became: 'paid' }, count));

/** A buyer cancelled an order. */
export const orderCancelled = report(() => orders.inc({ became: 'cancelled' }));

/** Orders were placed only to end: their buyers' wallets held too little. */
export const ordersRejected = report((count: number) => orders.inc({ became: 'rejected' }, count));

/** The shop gave the money of an order back. */
export const orderRefunded = report(() => orders.inc({ became: 'refunded' }));

/** Units and their buyers are free again. */
export const unitsReleased = report((count: number) => orders.inc({ became: 'released' }, count));

/** Units that came back went to the first on standby. */
export const unitsPromoted = report((count: number) => orders.inc({ became: 'promoted' }, count));

/** Reports after which somebody should look: money that is not as it should be. */
const ALARMS = new Set(['mismatch', 'unknown_payment', 'refunded_elsewhere']);

/** A provider told of a payment, by an report or when it was asked. */
export const paymentReported = report((outcome: string, orderId: string | undefined) => {
  payments.inc({ outcome });
  if (ALARMS.has(outcome)) log?.error({ outcome, orderId }, 'a payment is not as it should be');
});

/** Money that came after its order had ended bought a unit all the same, or goes back. */
export const lateMoneyDecided = report((became: 'regrabbed' | 'refunded', orderId: string) => {
  lateMoney.inc({ became });
  log?.info({ orderId, became }, 'late money');
});

/** The provider won't give the money back: it is in the buyer's wallet instead. */
export const refundRefused = report((orderId: string) => {
  lateMoney.inc({ became: 'refund_refused' });
  log?.error({ orderId }, 'a provider refused a refund: the money is in the wallet of the buyer');
});

/** An report was sent to the shop. */
export const shopTold = report((took: boolean) => shopEvents.inc({ outcome: took ? 'delivered' : 'failed' }));

/** Redis and Postgres did not agree, and now they do. */
export const repaired = report((kind: string, count: number, saleId: string) => {
  repairs.inc({ kind }, count);
  log?.warn({ saleId, kind, count }, 'repaired');
});

function report<A extends unknown[]>(tell: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      tell(...args);
    } catch {
      // There is nobody left to tell.
    }
  };
}

/** A line that could come with every request comes once in this time, in ms, so that an outage doesn't fill the disk. */
const LOG_INTERVAL_MS = SECOND_MS;
const lastLogged = new Map<string, { atMs: number; notLogged: number }>();

/** @param message one of few, as each is remembered */
function warnRarely(message: string, fields: object): void {
  const nowMs = performance.now();
  const last = lastLogged.get(message);
  if (last && nowMs - last.atMs < LOG_INTERVAL_MS) {
    last.notLogged += 1;
    return;
  }
  log?.warn(last?.notLogged ? { ...fields, notLogged: last.notLogged } : fields, message);
  lastLogged.set(message, { atMs: nowMs, notLogged: 0 });
}
