import { Prisma } from '../database.js';

// The payment deadline in SQL. A buyer who clicked in time loses nothing because a queue, a process or a store was away:
// the order is kept for as long as the click waited.

/** The longest time that an order is kept beyond its deadline, in s (invariant 6 of docs/guarantees.md). */
const KEPT_SECONDS_MAX = 60;

const KEPT_MAX = Prisma.sql`${KEPT_SECONDS_MAX} * interval '1 second'`;

/** Builds the SQL for a time in ms since the epoch; without one, it is NULL. */
const timeOf = (ms: number | undefined) => Prisma.sql`to_timestamp(${ms ?? null}::float8 / 1000)`;

/** Builds the SQL for whether a buyer clicked before the deadline of the order `o`. NULL counts as no. */
export const clickedInTime = (clickedAtMs: number | undefined) => Prisma.sql`o.pay_by > ${timeOf(clickedAtMs)}`;

/** Builds the SQL for whether a payment may still be recorded for the unpaid order `o`, after a click at the given time. */
export const isPayable = (clickedAtMs: number | undefined) => Prisma.sql`
  (o.pay_by > clock_timestamp() OR (${clickedInTime(clickedAtMs)} AND o.pay_by + ${KEPT_MAX} > clock_timestamp()))`;

/** Builds the SQL for `payments.clicked_at`. */
export const clickTime = timeOf;

/**
 * The SQL for the time until which the order `o` can be paid with its payment `p`: the deadline, and the time between the
 * buyer's click and the recording of the payment. While the provider does not know the payment, the buyer still waits.
 */
export const PAY_UNTIL = Prisma.sql`
  (o.pay_by + CASE WHEN p.clicked_at < o.pay_by THEN
     least(${KEPT_MAX}, greatest(interval '0', CASE p.status WHEN 'requested' THEN clock_timestamp() ELSE p.created_at END - p.clicked_at))
   ELSE interval '0' END)`;

/** The SQL for whether the time to pay the unpaid order `o` is over, also for payments that are under way. */
export const IS_OVERDUE = Prisma.sql`
  (o.status = 'pending_payment' AND o.pay_by <= clock_timestamp() AND NOT EXISTS (
     SELECT FROM payments p WHERE p.order_id = o.id AND p.status IN ('requested', 'open') AND ${PAY_UNTIL} > clock_timestamp()))`;
