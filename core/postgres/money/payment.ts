import { newClaimIdAfter } from '../../identity/claim-id.js';
import type { OrderToPay } from '../../rules/order.js';
import type { PaymentReport } from '../../rules/payment.js';
import { isUndecided, type PaymentMoney, type PaymentStatus } from '../../rules/payment-money.js';
import { type RefundInFlight, unansweredRefund } from '../../rules/refund.js';
import type { ProviderName } from '../../rules/sale.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { NOW } from '../now.js';
import { clickTime, isPayable, PAY_UNTIL, waitedMs } from '../orders/deadline.js';

/** An attempt to pay an order through a provider, with some facts of its order and sale. Amounts in minor units. */
export interface Payment {
  id: bigint;
  orderId: string;
  /**
   * The number of this attempt to pay the order, from 1. Another attempt may follow one that failed or was refunded.
   */
  attempt: number;
  saleId: string;
  buyerId: string;
  provider: ProviderName;
  paymentId: string | null;
  payUrl: string | null;
  amountMinor: number;
  currency: string;
  status: PaymentStatus;
  regrabClaimId: string;
  /**
   * The end of the time to pay with this payment, in ms since the epoch: the order's deadline, or up to 60 s later for a
   * click in time that had to wait.
   */
  payByMs: number;
  /** Whether the order is unpaid and can still be paid with this payment. */
  payable: boolean;
  /** The amounts that were taken and went back. */
  money: PaymentMoney;
  /** The currency of the money that was taken; another one than `currency` only by the provider's mistake. */
  takenCurrency: string;
  /**
   * The provider's report of money that nobody asked for in this amount, or that is beyond the capture. It goes back
   * without being booked.
   */
  mismatch: Mismatch | null;
  /** The order to which the ledger books the money. */
  bookedOrderId: string;
  /** The refund that the provider was asked for and has not answered. */
  refunding: RefundInFlight | null;
  /** How often the refund that is due was tried. */
  refundTries: number;
}

/** A provider's report of money that nobody asked for. */
export type Mismatch = Pick<PaymentReport, 'state' | 'paymentId' | 'amountMinor' | 'currency'>;

interface PaymentRow {
  id: bigint;
  order_id: string;
  attempt: number;
  sale_id: string;
  buyer_id: string;
  provider: ProviderName;
  provider_payment_id: string | null;
  pay_url: string | null;
  amount_minor: bigint;
  currency: string;
  status: PaymentStatus;
  regrab_claim_id: string;
  pay_by: Date;
  payable: boolean;
  paid_order_id: string | null;
  mismatch: Mismatch | null;
  refund_tries: number;
  refund_minor: bigint;
  refunding_minor: bigint | null;
  refunding_from_minor: bigint | null;
  returned_minor: bigint;
  compensated_minor: bigint;
  withheld_minor: bigint;
  lost_minor: bigint;
}

const SELECT_PAYMENTS = Prisma.sql`
  SELECT p.id, p.order_id, p.attempt, o.sale_id, o.buyer_id, p.provider, p.provider_payment_id, p.pay_url, p.amount_minor,
         p.currency, p.status, p.regrab_claim_id, p.paid_order_id, p.mismatch, p.refund_tries, p.refund_minor,
         p.returned_minor, p.compensated_minor, p.refunding_minor, p.refunding_from_minor, d.withheld_minor, d.lost_minor,
         ${PAY_UNTIL} AS pay_by, o.status = 'pending_payment' AND ${PAY_UNTIL} > clock_timestamp() AS payable
  FROM payments p JOIN orders o ON o.id = p.order_id, LATERAL (
    SELECT coalesce(sum(amount_minor) FILTER (WHERE status = 'open'), 0)::bigint AS withheld_minor,
           coalesce(sum(amount_minor) FILTER (WHERE status = 'lost'), 0)::bigint AS lost_minor
    FROM disputes
    WHERE payment_id = p.id AND currency = coalesce(p.mismatch ->> 'currency', p.currency)) d`;

/**
 * Reads payments, with some facts of their orders.
 *
 * @param where the SQL after WHERE, also its ORDER BY and LIMIT: `p` is the payment, `o` its order
 */
export async function readPayments(db: Transaction, where: Prisma.Sql): Promise<Payment[]> {
  const rows = await db.$queryRaw<PaymentRow[]>(Prisma.sql`${SELECT_PAYMENTS} WHERE ${where}`);
  return rows.map(paymentOf);
}

/**
 * Locks a payment's row, and then reads the payment. The lock comes first, so that everything that is read is as new as
 * the row.
 *
 * @param where the SQL after WHERE: `p` is the payment
 */
export async function lockPayment(tx: Transaction, where: Prisma.Sql): Promise<Payment | undefined> {
  const [row] = await tx.$queryRaw<{ id: bigint }[]>(
    Prisma.sql`SELECT p.id FROM payments p WHERE ${where} LIMIT 1 FOR UPDATE OF p`,
  );
  if (!row) return undefined;
  const [payment] = await readPayments(tx, Prisma.sql`p.id = ${row.id}`);
  return payment;
}

function paymentOf(row: PaymentRow): Payment {
  const money = moneyOf(row);
  return {
    id: row.id,
    orderId: row.order_id,
    attempt: row.attempt,
    saleId: row.sale_id,
    buyerId: row.buyer_id,
    provider: row.provider,
    paymentId: row.provider_payment_id,
    payUrl: row.pay_url,
    amountMinor: Number(row.amount_minor),
    currency: row.currency,
    status: row.status,
    regrabClaimId: row.regrab_claim_id,
    payByMs: row.pay_by.getTime(),
    payable: row.payable,
    money,
    takenCurrency: row.mismatch?.currency ?? row.currency,
    mismatch: row.mismatch,
    bookedOrderId: row.paid_order_id ?? row.order_id,
    refunding: unansweredRefund(money, refundingOf(row)),
    refundTries: row.refund_tries,
  };
}

function refundingOf({ refunding_minor: amount, refunding_from_minor: from }: PaymentRow): RefundInFlight | null {
  return amount === null ? null : { amountMinor: Number(amount), fromMinor: Number(from) };
}

/**
 * Reads the amounts of a payment. An older version writes only the status of a payment whose money goes back, and then
 * the amounts follow from it.
 */
function moneyOf(row: PaymentRow): PaymentMoney {
  const { status } = row;
  const takenMinor = isUndecided(status) ? 0 : Number(row.mismatch?.amountMinor ?? row.amount_minor);
  const [compensatedMinor, lostMinor, returnedMinor] = [row.compensated_minor, row.lost_minor, row.returned_minor].map(
    Number,
  ) as [number, number, number];
  const whole = status === 'refund_due' || status === 'refunded';
  return {
    status,
    takenMinor,
    refundMinor: whole ? takenMinor : Number(row.refund_minor),
    returnedMinor:
      status === 'refunded' ? Math.max(returnedMinor, takenMinor - compensatedMinor - lostMinor) : returnedMinor,
    compensatedMinor,
    withheldMinor: Number(row.withheld_minor),
    lostMinor,
  };
}

/**
 * Time after the request at which a silent provider is first asked about a payment, in s. Later pauses double, up to
 * ASK_SECONDS_MAX.
 */
const ASK_FIRST_SECONDS = 5;
const ASK_SECONDS_MAX = 600;

/** Time before the payment deadline at which a provider is asked once more, in s. Its answer still comes in time. */
const ASK_BEFORE_DEADLINE_SECONDS = 3;

/**
 * How long after the payment deadline a provider is still asked about a payment, in hours. A provider's events count at
 * any time.
 */
const ASK_HOURS_MAX = 24;

/**
 * Builds the SQL for the time at which a provider is asked next about a payment. Questions back off, but one always
 * comes just before the payment deadline and one just after.
 */
const nextAsk = (asked: Prisma.Sql) => Prisma.sql`
  CASE WHEN clock_timestamp() > o.pay_by + ${ASK_HOURS_MAX} * interval '1 hour' THEN NULL
       WHEN clock_timestamp() < o.pay_by - (${ASK_BEFORE_DEADLINE_SECONDS} + 1) * interval '1 second'
       THEN least(clock_timestamp() + ${askDelay(asked)}, o.pay_by - ${ASK_BEFORE_DEADLINE_SECONDS} * interval '1 second')
       WHEN clock_timestamp() < o.pay_by THEN o.pay_by + interval '2 seconds'
       ELSE clock_timestamp() + ${askDelay(asked)} END`;

const askDelay = (asked: Prisma.Sql) =>
  Prisma.sql`least(${ASK_FIRST_SECONDS} * 2 ^ least(${asked}, 20), ${ASK_SECONDS_MAX}) * interval '1 second'`;

/**
 * Most attempts to pay an order. After this many failed attempts, another one rarely succeeds and only loads the
 * provider.
 */
const ATTEMPTS_MAX = 10;

/** Builds the SQL for whether a click has waited, and no job will call the provider at once. */
const hasWaited = (clickedAtMs: number | undefined) =>
  Prisma.sql`${clickTime(clickedAtMs)} < clock_timestamp() - ${ASK_FIRST_SECONDS} * interval '1 second'`;

/**
 * Records an attempt to pay an order, before its provider hears of it. Another attempt is recorded only if every
 * earlier one certainly failed or was refunded, and after another click of the buyer. Idempotent.
 *
 * @returns the latest attempt, or undefined when the order is not payable and has no attempt
 */
export async function requestPayment(
  db: Database,
  { orderId, buyerId, clickedAtMs }: OrderToPay,
): Promise<Payment | undefined> {
  await db.$executeRaw(Prisma.sql`
    INSERT INTO payments (order_id, attempt, provider, amount_minor, currency, regrab_claim_id, ask_at, clicked_at, waited_ms)
    SELECT o.id, before.attempts + 1, s.provider, o.amount_minor, o.currency, ${newClaimIdAfter(orderId)}::uuid,
           CASE WHEN ${hasWaited(clickedAtMs)} THEN clock_timestamp() ELSE ${nextAsk(Prisma.sql`0`)} END,
           ${clickTime(clickedAtMs)}, ${waitedMs(clickedAtMs)}
    FROM orders o JOIN sales s ON s.id = o.sale_id AND s.provider <> 'wallet', LATERAL (
      SELECT count(*)::int AS attempts, count(*) FILTER (WHERE p.status NOT IN ('failed', 'refund_due', 'refunded')) AS undecided,
             count(*) FILTER (WHERE p.clicked_at = ${clickTime(clickedAtMs)}) AS of_this_click
      FROM payments p WHERE p.order_id = o.id) before
    WHERE o.id = ${orderId}::uuid AND o.buyer_id = ${buyerId} AND o.status = 'pending_payment' AND ${isPayable(clickedAtMs)}
      AND before.undecided = 0 AND before.of_this_click = 0 AND before.attempts < ${ATTEMPTS_MAX}
    ON CONFLICT DO NOTHING`);
  return readLatestPayment(db, orderId, buyerId);
}

/** Reads the latest attempt to pay an order at its provider. */
export async function readLatestPayment(db: Database, orderId: string, buyerId: string): Promise<Payment | undefined> {
  const [payment] = await readPayments(
    db,
    Prisma.sql`p.order_id = ${orderId}::uuid AND o.buyer_id = ${buyerId} ORDER BY p.attempt DESC LIMIT 1`,
  );
  return payment;
}

/**
 * Reads the payments about which their provider must be asked now, the longest due first.
 *
 * @param limit the most rows
 */
export function readUnheard(db: Database, limit: number): Promise<Payment[]> {
  return readPayments(db, Prisma.sql`p.ask_at <= ${NOW} ORDER BY p.ask_at LIMIT ${limit}`);
}

/** Lets the provider be asked about a payment in the next round of ask-providers. */
export async function askNow(tx: Transaction, id: bigint): Promise<void> {
  await tx.$executeRaw(Prisma.sql`UPDATE payments SET ask_at = clock_timestamp() WHERE id = ${id}`);
}

/** Ends the questions about a payment: the provider has answered. */
export async function askNoMore(tx: Transaction, id: bigint): Promise<void> {
  await tx.$executeRaw(Prisma.sql`UPDATE payments SET ask_at = NULL WHERE id = ${id}`);
}

/**
 * Schedules when a provider is asked about a payment again. A payment that has taken money is asked about only after an
 * event that did not tell enough, at any time. So these questions end with an answer.
 */
export async function askAgainLater(db: Database, id: bigint): Promise<void> {
  const asked = Prisma.sql`p.asked + 1`;
  await db.$executeRaw(Prisma.sql`
    UPDATE payments p SET asked = ${asked},
      ask_at = CASE WHEN p.status IN ('requested', 'open', 'failed') THEN ${nextAsk(asked)}
                    ELSE clock_timestamp() + ${askDelay(asked)} END
    FROM orders o WHERE o.id = p.order_id AND p.id = ${id} AND p.ask_at IS NOT NULL`);
}
