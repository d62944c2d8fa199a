import { SECOND_MS } from '../rules/clock.js';
import type { Logger } from './logger.js';
import { counter, gauge, histogram } from './metrics.js';

// Telemetry: one function per fact worth counting, in the words of core/rules/claim.ts. Each counts in a metric and
// logs rare facts. None of them throws, so that reporting never undoes the fact. Labels have few values: sales, buyers
// and claims are named only in logs.

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
const shopCalls = counter('shop_events_total', 'Deliveries of events to the shop', 'outcome');
const issuerReads = counter('issuer_reads_total', "Readings of the issuer's keys, by outcome", 'outcome');
const storeErrors = counter('store_errors_total', 'Lost connections and failed calls', 'store');
const surprises = counter('unexpected_errors_total', 'Errors that nobody expected', 'where');

let log: Logger | undefined;

/** Sets the logger for the rare facts. Before this call they are only counted. */
export function reportTo(logger: Logger): void {
  log = logger;
}

/**
 * Reports an answered call of the claim script.
 *
 * @param outcomes number of buyers by outcome
 * @param seconds the round trip
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
 * Reports buyers who were refused from memory, without a call of Redis.
 *
 * @param counts number of buyers since the last report, by refusal
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

/** Reports a claim that Redis had lost and a receipt brought back. */
export const claimRestored = report((saleId: string, claimId: string) => {
  repairs.inc({ kind: 'receipt' });
  log?.warn({ saleId, claimId }, 'claim restored from its receipt');
});

/** Reports the number of waiters in this process. */
export const waitersCounted = report((count: number) => waiters.set(count));

/** Reports an error answer to a client. */
export const problemSent = report((code: string) => problems.inc({ code }));

/** Reports an unexpected error. */
export const brokeUnexpectedly = report((where: string, err: unknown) => {
  surprises.inc({ where });
  warnRarely('unexpected error', { where, err });
});

/** Reports a lost connection to a store, or a call without an answer in time. */
export const storeFailed = report((store: 'redis' | 'postgres', err: unknown) => {
  storeErrors.inc({ store });
  warnRarely(`${store} failed`, { err });
});

/** Reports that the issuer's keys were read. */
export const issuerRead = report((keys: number) => {
  issuerReads.inc({ outcome: 'done' });
  log?.debug({ keys }, 'keys of the issuer read');
});

/** Reports that the issuer's keys could not be read. The last ones stay valid. */
export const issuerFailed = report((err: unknown) => {
  issuerReads.inc({ outcome: 'failed' });
  warnRarely('could not read the keys of the issuer', { err });
});

/** Reports a job that could not be queued. Nothing is lost: the outbox and Postgres hold the same work. */
export const enqueueFailed = report((job: string, err: unknown) => {
  jobs.inc({ job, outcome: 'not_queued' });
  warnRarely(`could not queue ${job}`, { err });
});

/** Reports a finished job. */
export const jobDone = report((job: string, seconds: number) => {
  jobs.inc({ job, outcome: 'done' });
  jobSeconds.observe({ job }, seconds);
});

/** Reports a failed job. A retry may follow; a failure compensates nothing. */
export const jobFailed = report((job: string, err: unknown) => {
  jobs.inc({ job, outcome: 'failed' });
  warnRarely(`${job} failed`, { err });
});

/** Reports a finished round of a maintenance actor. */
export const actorRan = report((actor: string, seconds: number) => {
  actorRuns.inc({ actor, outcome: 'done' });
  actorSeconds.observe({ actor }, seconds);
});

/** Reports a failed round of a maintenance actor, which runs again at its next time. */
export const actorFailed = report((actor: string, err: unknown) => {
  actorRuns.inc({ actor, outcome: 'failed' });
  warnRarely(`${actor} failed`, { err });
});

/** Reports claims that became orders. */
export const ordersPlaced = report((count: number) => orders.inc({ became: 'placed' }, count));

/** Reports claims that rescue found in the outbox. */
export const claimsRescued = report((count: number) => orders.inc({ became: 'rescued' }, count));

type WhyGivenUp = 'conflict' | 'lost' | 'refused';

/**
 * Reports accepted claims that cannot become orders. They are in `conflict` with live orders, were `lost` by Redis, or
 * are `refused` by Postgres for their content.
 */
export const claimsGivenUp = report((why: WhyGivenUp, saleId: string, claims: object[], err?: unknown) => {
  givenUp.inc({ why }, claims.length);
  log?.error({ err, saleId, why, claims }, 'claims are given up');
});

/** Reports orders that were not paid by their deadline. */
export const ordersExpired = report((count: number) => orders.inc({ became: 'expired' }, count));

/** Reports orders paid from a wallet or at a provider. */
export const ordersPaid = report((count: number) => orders.inc({ became: 'paid' }, count));

/** Reports an order that its buyer cancelled. */
export const orderCancelled = report(() => orders.inc({ became: 'cancelled' }));

/** Reports orders that were rejected when placed, for a wallet with too little money. */
export const ordersRejected = report((count: number) => orders.inc({ became: 'rejected' }, count));

/** Reports an order that the shop refunded. */
export const orderRefunded = report(() => orders.inc({ became: 'refunded' }));

/** Reports units that were released together with their buyers. */
export const unitsReleased = report((count: number) => orders.inc({ became: 'released' }, count));

/** Reports units that went to buyers on standby. */
export const unitsPromoted = report((count: number) => orders.inc({ became: 'promoted' }, count));

/** Outcomes that need a person: the money does not match the order. */
const ALARMS = new Set(['mismatch', 'unknown_payment', 'refunded_elsewhere']);

/** Reports a payment that its provider reported, unasked or as an answer. */
export const paymentReported = report((outcome: string, orderId: string | undefined) => {
  payments.inc({ outcome });
  if (ALARMS.has(outcome)) log?.error({ outcome, orderId }, 'a payment is not as it should be');
});

/** Reports the decision about late money: it bought a unit again, or goes back. */
export const lateMoneyDecided = report((became: 'regrabbed' | 'refunded', orderId: string) => {
  lateMoney.inc({ became });
  log?.info({ orderId, became }, 'late money');
});

/** Reports a refund that the provider refused. The money is in the buyer's wallet instead. */
export const refundRefused = report((orderId: string) => {
  lateMoney.inc({ became: 'refund_refused' });
  log?.error({ orderId }, 'a provider refused a refund: the money is in the wallet of the buyer');
});

/** Reports a webhook call to the shop. */
export const shopTold = report((took: boolean) => shopCalls.inc({ outcome: took ? 'delivered' : 'failed' }));

/** Reports differences between Redis and Postgres that were repaired. */
export const repaired = report((kind: string, count: number, saleId: string) => {
  repairs.inc({ kind }, count);
  log?.warn({ saleId, kind, count }, 'repaired');
});

function report<A extends unknown[]>(tell: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      tell(...args);
    } catch {
      // Reporting itself failed, and there is nothing left to report to.
    }
  };
}

/** Shortest interval between two equal log lines, in ms, so that an outage cannot fill the disk. */
const LOG_INTERVAL_MS = SECOND_MS;
const lastLogged = new Map<string, { atMs: number; notLogged: number }>();

/** Logs a line at most once per interval. The messages must be few, as each one is remembered. */
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
