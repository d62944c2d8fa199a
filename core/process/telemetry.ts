import { REDIS_NEARLY_FULL } from '../rules/claim.js';
import { SECOND_MS } from '../rules/clock.js';
import { counter, gauge, histogram, scrapedGauge } from './metrics.js';
import { logFact, report, warnRarely } from './reporting.js';

// Telemetry: one function per fact worth counting, in the words of core/rules/claim.ts. Each function counts its fact
// in a metric, and logs it if it is rare. None of them throws, so that reporting never undoes the fact. Labels have few
// values: sales, buyers and claims are named only in logs.

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const BUYERS = [1, 2, 4, 8, 16, 32, 64, 128];

const claims = counter('claims_total', 'Claims answered, by outcome', 'outcome');
const claimBuyers = histogram('claim_batch_buyers', 'Buyers in one call of the claim script', BUYERS);
const claimSeconds = histogram('claim_seconds', 'Round trip of one call of the claim script', SECONDS);
const fromMemory = counter('refused_from_memory_total', 'Buyers refused without asking Redis');
const problems = counter('problems_total', 'Answers that are an error, by code', 'code');
const limited = counter('limited_total', 'Requests refused by the limits of one buyer, by kind', 'kind');
const quickClicks = counter('quick_clicks_total', 'Clicks quicker than a hand, by after what', 'after');
const setApiProcesses = gauge('api_processes', 'API processes that share the limits of a buyer');
const passes = counter(
  'passes_total',
  'Passes given, challenges before, and refusals for want of a good pass',
  'outcome',
);
for (const outcome of ['issued', 'challenged', 'bad_solution', 'pass_too_early']) passes.inc({ outcome }, 0);
const shed = counter('shed_total', 'Requests refused because of overload, by kind', 'kind');
const setShedLevel = gauge('shed_level', 'The level of overload: 1 sheds pages and polls, 2 claims, 3 payments');
const setLoopDelay = gauge('loop_delay_seconds', 'Delay that every turn of the event loop had in the last two seconds');
const REDIS_FULLNESS = [
  'redis_memory_ratio',
  `Used share of maxmemory; from ${REDIS_NEARLY_FULL} on, clicks are refused`,
] as const;
const setRedisFullness = gauge(...REDIS_FULLNESS);
const setWaiters = gauge('waiters', 'Requests and streams that wait for news');
const jobs = counter('jobs_total', 'Jobs done, failed and not queued', 'job', 'outcome');
const jobSeconds = histogram('job_seconds', 'Time a job took', SECONDS, 'job');
const actorRuns = counter('actor_runs_total', 'Rounds of the maintenance actors', 'actor', 'outcome');
const actorSeconds = histogram('actor_seconds', 'Time a round took', SECONDS, 'actor');
const orders = counter('orders_total', 'Orders and claims that went on, by where to', 'became');
const givenUp = counter('claims_given_up_total', 'Accepted claims that could not be placed, by why', 'why');
const beaconReads = counter('beacon_reads_total', 'Values of draws asked of the beacon, by outcome', 'outcome');
for (const outcome of ['done', 'failed']) beaconReads.inc({ outcome }, 0);
const repairs = counter('repairs_total', 'Differences between Redis and Postgres that were repaired', 'kind');
const tokenRefusals = counter('token_refusals_total', "Requests without a valid buyer's token, by why", 'why');
const issuerReads = counter('issuer_reads_total', "Readings of the issuer's keys, by outcome", 'outcome');
const storeErrors = counter('store_errors_total', 'Lost connections and failed calls', 'store');
const logins = counter('logins_total', 'Logins to the console, and wrong tokens there', 'outcome');
for (const outcome of ['done', 'failed']) logins.inc({ outcome }, 0);
const surprises = counter('unexpected_errors_total', 'Errors that nobody expected', 'where');

/**
 * Reports one call of the script that decides claims in Redis.
 *
 * @param outcomes number of buyers by outcome
 * @param seconds the round trip of the call, in s
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
 * Reports buyers whom the API refused from its own memory, without a call of Redis.
 *
 * @param counts number of such buyers since the last report, by refusal
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

/**
 * Reports requests that were refused by the limits of one buyer.
 *
 * @param counts number of such requests since the last report, by kind. A kind with 0 appears in the metrics, too, so
 *   that its first increase is seen
 */
export const requestsLimited = report((counts: Readonly<Record<string, number>>) => {
  for (const [kind, count] of Object.entries(counts)) {
    limited.inc({ kind }, count);
    problems.inc({ code: 'too_many_requests' }, count);
  }
});

/** Reports clicks that came quicker than a hand, by whether they followed the opening or another click of their buyer. */
export const clicksTooQuick = report((counts: Readonly<Record<string, number>>) => {
  for (const [after, count] of Object.entries(counts)) quickClicks.inc({ after }, count);
});

/** Reports the answer to a buyer who asked for a pass. */
export const passAnswered = report((outcome: 'issued' | 'challenged' | 'bad_solution' | 'pass_too_early') =>
  passes.inc({ outcome }),
);

/**
 * Reports clicks that were refused as they had no good pass.
 *
 * @param counts number of such clicks since the last report, by code. A code with 0 appears in the metrics, too
 */
export const clicksWithoutPass = report((counts: Readonly<Record<string, number>>) => {
  for (const [code, count] of Object.entries(counts)) {
    passes.inc({ outcome: code }, count);
    problems.inc({ code }, count);
  }
});

/** Reports the number of living API processes, as this process counts them. */
export const apiProcessesCounted = report((count: number) => setApiProcesses(count));

/** Reports a claim that Redis had lost, and that was restored from its buyer's receipt. */
export const claimRestored = report((saleId: string, claimId: string) => {
  repairs.inc({ kind: 'receipt' });
  logFact('warn', { saleId, claimId }, 'claim restored from its receipt');
});

/** Reports that an operator logged in to the console, or out. */
export const operatorLogged = report((direction: 'in' | 'out', caller: object) => {
  if (direction === 'in') logins.inc({ outcome: 'done' });
  logFact('info', caller, `an operator logged ${direction}`);
});

/** Reports a wrong token at the console, in the login form or as a Bearer token. */
export const loginFailed = report((caller: object) => {
  logins.inc({ outcome: 'failed' });
  warnRarely('login failed', caller);
});

/** Reports the number of requests and streams that wait for news in this process. */
export const waitersCounted = report((count: number) => setWaiters(count));

/** Reports an error answer to a client. */
export const problemSent = report((code: string) => problems.inc({ code }));

/** Reports requests that were refused because of overload, all of one kind. */
export const requestsShed = report((kind: string, count: number) => shed.inc({ kind }, count));

/** The load of an API process in the last second, and the highest shed level that follows from it. */
export interface MeasuredLoad {
  delayMs: number;
  outboxAgeMs: number;
  /** The used share of Redis's maxmemory, from 0 to 1. */
  redisFullness: number;
  level: number;
}

let lastLevel = 0;

/** Reports the load of an API process. */
export const loadMeasured = report(({ delayMs, outboxAgeMs, redisFullness, level }: MeasuredLoad) => {
  setLoopDelay(delayMs / SECOND_MS);
  setRedisFullness(redisFullness);
  setShedLevel(level);
  if (level === lastLevel) return;
  lastLevel = level;
  logFact('warn', { level, delayMs, outboxAgeMs, redisFullness }, 'the shed level has changed');
});

/** Reports at each scrape how full Redis is, from a process that does not measure its load. */
export const redisFullnessScraped = report((read: () => Promise<number>) => scrapedGauge(...REDIS_FULLNESS, read));

/** Reports an unexpected error, and the endpoint where it occurred. */
export const brokeUnexpectedly = report((where: string, err: unknown) => {
  surprises.inc({ where });
  warnRarely('unexpected error', { where, err });
});

/** Reports a lost connection to Redis or Postgres, or a call without an answer in time. */
export const storeFailed = report((store: 'redis' | 'postgres', err: unknown) => {
  storeErrors.inc({ store });
  warnRarely(`${store} failed`, { err });
});

/**
 * Reports a request that names no buyer. A request without any token is only counted: it comes from a visitor who has not
 * logged in.
 *
 * @param why a key of TOKEN_REFUSALS (core/identity/token-refusal.ts)
 */
export const tokenRefused = report((why: string) => {
  tokenRefusals.inc({ why });
  if (why !== 'missing') warnRarely('token refused', { why });
});

/** Reports that the public keys of the shop's token issuer were read. */
export const issuerRead = report((keys: number) => {
  issuerReads.inc({ outcome: 'done' });
  logFact('debug', { keys }, 'keys of the issuer read');
});

/** Reports that the public keys of the shop's token issuer could not be read. The last ones stay valid. */
export const issuerFailed = report((err: unknown) => {
  issuerReads.inc({ outcome: 'failed' });
  warnRarely('could not read the keys of the issuer', { err });
});

/** Reports a job that could not be added to its queue. Nothing is lost: the outbox and Postgres hold the same work. */
export const enqueueFailed = report((job: string, err: unknown) => {
  jobs.inc({ job, outcome: 'not_queued' });
  warnRarely(`could not queue ${job}`, { err });
});

/** Reports a job that a worker has finished. */
export const jobDone = report((job: string, seconds: number) => {
  jobs.inc({ job, outcome: 'done' });
  jobSeconds.observe({ job }, seconds);
});

/** Reports a failed job, which may be retried. The failure undoes nothing that the job has done. */
export const jobFailed = report((job: string, err: unknown) => {
  jobs.inc({ job, outcome: 'failed' });
  warnRarely(`${job} failed`, { err });
});

/** Reports a finished round of an actor, which is a maintenance task that a worker repeats. */
export const actorRan = report((actor: string, seconds: number) => {
  actorRuns.inc({ actor, outcome: 'done' });
  actorSeconds.observe({ actor }, seconds);
});

/**
 * Reports a failed round of an actor, which is a maintenance task that a worker repeats. The next round tries again.
 */
export const actorFailed = report((actor: string, err: unknown) => {
  actorRuns.inc({ actor, outcome: 'failed' });
  warnRarely(`${actor} failed`, { err });
});

/** Reports claims that became orders in Postgres. */
export const ordersPlaced = report((count: number) => orders.inc({ became: 'placed' }, count));

/** Reports claims that rescue found in the outbox: nothing had made them orders in time. */
export const claimsRescued = report((count: number) => orders.inc({ became: 'rescued' }, count));

type WhyGivenUp = 'conflict' | 'lost' | 'refused';

/**
 * Reports accepted claims that cannot become orders. `conflict`: a live order has their unit or buyer. `lost`: Redis
 * lost them. `refused`: Postgres refuses their content.
 */
export const claimsGivenUp = report((why: WhyGivenUp, saleId: string, claims: object[], err?: unknown) => {
  givenUp.inc({ why }, claims.length);
  logFact('error', { err, saleId, why, claims }, 'claims are given up');
});

/** Reports orders that were cancelled because they were not paid by their deadline. */
export const ordersExpired = report((count: number) => orders.inc({ became: 'expired' }, count));

/** Reports orders paid from a wallet or at a provider. */
export const ordersPaid = report((count: number) => orders.inc({ became: 'paid' }, count));

/** Reports an order that its buyer cancelled. */
export const orderCancelled = report(() => orders.inc({ became: 'cancelled' }));

/** Reports orders that were rejected when placed, as the buyer's wallet held too little money. */
export const ordersRejected = report((count: number) => orders.inc({ became: 'rejected' }, count));

/** Reports an order that the shop refunded. */
export const orderRefunded = report(() => orders.inc({ became: 'refunded' }));

/** Reports a part of a paid order's money that the shop gave back. The order stays paid. */
export const orderPartiallyRefunded = report(() => orders.inc({ became: 'partially_refunded' }));

/** Reports units that were freed together with their buyers. */
export const unitsReleased = report((count: number) => orders.inc({ became: 'released' }, count));

/** Reports units that came back and went to buyers on standby. */
export const unitsPromoted = report((count: number) => orders.inc({ became: 'promoted' }, count));

/** Reports repaired differences between Redis and Postgres, all of one kind and one sale. */
export const repaired = report((kind: string, count: number, saleId: string) => {
  repairs.inc({ kind }, count);
  logFact('warn', { saleId, kind, count }, 'repaired');
});

/** Reports a draw that the value of its beacon has decided. */
export const beaconRead = report((saleId: string, round: number) => {
  beaconReads.inc({ outcome: 'done' });
  logFact('info', { saleId, round }, 'the beacon has decided a draw');
});

/** Reports a beacon that gave no valid value. The draw waits, and the next round asks again. */
export const beaconFailed = report((saleId: string, err: unknown) => {
  beaconReads.inc({ outcome: 'failed' });
  warnRarely('a draw waits: its beacon gives no value', { saleId, err });
});
