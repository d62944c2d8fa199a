import { MINUTE_MS } from '#core/rules/clock.js';

/**
 * The shed level from which a process refuses requests of each kind. Buyers can do without pages and polls longest, as
 * their claims and orders are kept meanwhile. Requests that finish an order come last: a buyer must be able to pay in
 * time.
 *
 * - `page`: the page, its assets, and `GET /sales/:saleId`
 * - `poll`: polls, waits and streams of an order's status
 * - `claim`: clicks
 * - `pay`: paying and cancelling
 * - `event`: events of payment providers
 */
export const SHED_FROM = { page: 1, poll: 1, claim: 2, pay: 3, event: 3 } as const;

/** A kind of request that an overloaded process may refuse. */
export type ShedKind = keyof typeof SHED_FROM;

/** The kinds of requests that an overloaded process may refuse. */
export const SHED_KINDS = Object.keys(SHED_FROM) as ShedKind[];

/**
 * The delays of the event loop at which levels 1, 2 and 3 begin, in ms. An answer takes about four turns of the loop,
 * so at level 1 it takes nearly a second. Queueing the job of a payment has a deadline of 300 ms
 * (core/queue/enqueue.ts), so claims are shed before payments fail. At level 3, two turns take the whole second that a
 * command of Redis has (core/redis/connection.ts).
 */
export const LOOP_DELAYS_MS = [200, 300, 500] as const;

/**
 * The ages of a sale's outbox at which levels 1 and 2 begin for that sale, in ms. After any single fault an order is
 * placed within 15 s, and claims must continue while Postgres restarts or fails over, which takes a minute. Level 1 is
 * only a sign for the operator: polls continue, as a buyer must see that an order has to be paid. After 5 minutes the
 * sale needs the operator, and another claim would only make another winner wait. There is no level 3, as orders that
 * exist do not depend on the outbox.
 */
export const OUTBOX_AGES_MS = [2 * MINUTE_MS, 5 * MINUTE_MS] as const;

/**
 * Computes the next shed level. It rises at once, and falls by one step below half of the value at which it began. So
 * it doesn't change with every measurement.
 *
 * @param level the present level, 0 for none
 * @param measured a delay or an age, in ms
 * @param thresholds the values at which the levels from 1 on begin, in ms, ascending
 */
export function nextLevel(level: number, measured: number, thresholds: readonly number[]): number {
  const reached = thresholds.filter(threshold => measured >= threshold).length;
  if (reached >= level) return reached;
  return measured < Number(thresholds[level - 1]) / 2 ? level - 1 : level;
}
