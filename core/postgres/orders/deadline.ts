import { Prisma } from '../database.js';
import { NOW } from '../now.js';

// The payment deadline in SQL. A buyer who clicked in time loses nothing because a queue, a process or a store was away:
// the order is kept for as long as the click waited.

/** The longest time that an order is kept beyond its deadline, in s (invariant 6 of docs/guarantees.md). */
const KEPT_SECONDS_MAX = 60;

const KEPT_MAX = Prisma.sql`${KEPT_SECONDS_MAX} * interval '1 second'`;

/** Builds the SQL for the time of a click, in ms since the epoch; without a click, it is NULL. */
export const clickTime = (ms: number | undefined) => Prisma.sql`to_timestamp(${ms ?? null}::float8 / 1000)`;

/** Builds the SQL for whether a buyer clicked before the deadline of the order `o`. NULL counts as no. */
export const clickedInTime = (clickedAtMs: number | undefined) => Prisma.sql`o.pay_by > ${clickTime(clickedAtMs)}`;

/** Builds the SQL for whether a payment may still be recorded for the unpaid order `o`, after a click at the given time. */
export const isPayable = (clickedAtMs: number | undefined) => Prisma.sql`
  (o.pay_by > clock_timestamp() OR (${clickedInTime(clickedAtMs)} AND o.pay_by + ${KEPT_MAX} > clock_timestamp()))`;

/** Builds the SQL for `payments.waited_ms` of a payment that is recorded now: how long its click in time had to wait. */
export const waitedMs = (clickedAtMs: number | undefined) => Prisma.sql`
  CASE WHEN ${clickedInTime(clickedAtMs)} THEN (1000 * least(${KEPT_SECONDS_MAX}::float8,
    greatest(0, extract(epoch FROM clock_timestamp() - ${clickTime(clickedAtMs)}))))::int ELSE 0 END`;

/** The SQL for the time until which the order `o` can be paid with its payment `p`. */
export const PAY_UNTIL = Prisma.sql`(o.pay_by + p.waited_ms * interval '1 millisecond')`;

/** The time that a provider has to offer a payment, in s: a quarter of the time to pay, but not more than this. */
const OFFER_SECONDS_MAX = 10;

/**
 * The SQL for whether the buyer of the order `o` asked to pay in good time, and the provider has not offered a payment, because it was
 * away, or answered with an error or not at all. A refused card is no failure: the payment was offered. A click a moment before the
 * end is none either, or it would save every buyer from a strike.
 */
export const PROVIDER_FAILED = Prisma.sql`EXISTS (
  SELECT FROM (SELECT p.pay_url, coalesce(p.clicked_at, p.created_at) AS asked_at FROM payments p
               WHERE p.order_id = o.id ORDER BY p.attempt DESC LIMIT 1) latest
  WHERE latest.pay_url IS NULL AND latest.asked_at <= least(o.pay_by, clock_timestamp())
    - least(${OFFER_SECONDS_MAX} * interval '1 second', (o.pay_by - o.placed_at) / 4))`;

/**
 * Builds the SQL for whether the time to pay the unpaid order `o` is over for some seconds, also that of payments under
 * way.
 */
export const isOverdue = (bySeconds = 0) => Prisma.sql`
  (o.status = 'pending_payment' AND o.pay_by <= ${NOW} - ${bySeconds} * interval '1 second' AND NOT EXISTS (
     SELECT FROM payments p WHERE p.order_id = o.id AND p.status IN ('requested', 'open')
       AND ${PAY_UNTIL} > ${NOW} - ${bySeconds} * interval '1 second'))`;
