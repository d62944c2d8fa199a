import { conclude, keptMinor } from '../../rules/payment-money.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { endOrders, type ReleaseRow } from '../deliveries/releases.js';
import { nextPart } from './capture.js';
import { lockPayment, type Payment } from './payment.js';
import { changePayment } from './payment-change.js';

/**
 * An order to refund. With `restock`, its unit returns to stock. Without, the unit is withdrawn: no buyer can get it.
 */
export interface Refund {
  orderId: string;
  restock: boolean;
}

/**
 * Refunds what is left of a paid order's money and lets its buyer buy again. Order, transfer and release are one
 * transaction. A wallet has the money at once. A provider's refund becomes due, and the actor finish-payments asks for
 * it.
 *
 * @returns the release to carry out in Redis; none when the order is not paid
 * @throws Prisma's error: retry
 */
export function refundRow(db: Database, refund: Refund): Promise<ReleaseRow[]> {
  return db.$transaction(async tx => {
    // As everywhere, the payment is locked before its order. The order is locked in a statement of its own, so that the
    // next one sees the parts that another refund has booked.
    const payment = await lockPaymentOf(tx, refund.orderId);
    await lockOrder(tx, refund.orderId);
    const releases = await endPaidOrder(tx, refund);
    if (payment && releases.length > 0) {
      await changePayment(tx, payment, { money: conclude({ ...payment.money, status: 'refund_due' }) });
    }
    return releases;
  });
}

function endPaidOrder(tx: Transaction, { orderId, restock }: Refund): Promise<ReleaseRow[]> {
  return endOrders(
    tx,
    Prisma.sql`
      WITH ended AS (
        UPDATE orders SET status = 'refunded', reason = 'refunded_by_shop', version = version + 1
        WHERE id = ${orderId}::uuid AND status = 'paid'
        RETURNING id, sale_id, buyer_id, unit, status, reason, amount_minor - refunded_minor AS rest),
      returned AS (
        INSERT INTO transfers (order_id, kind, part, debit_account_id, credit_account_id, amount_minor, currency)
        SELECT t.order_id, 'refund', ${nextPart(orderId, 'refund')}, t.credit_account_id, t.debit_account_id, e.rest, t.currency
        FROM ended e JOIN transfers t ON t.order_id = e.id AND t.kind = 'capture'
        -- A free order has a capture of 0, and a refund of 0.
        WHERE e.rest > 0 OR e.rest = t.amount_minor
        RETURNING credit_account_id, amount_minor),
      credited AS (
        UPDATE accounts a SET balance_minor = a.balance_minor + returned.amount_minor
        FROM returned WHERE a.id = returned.credit_account_id AND a.kind = 'buyer'),
      withdrawn AS (
        INSERT INTO withdrawn_units (sale_id, unit, order_id)
        SELECT sale_id, unit, id FROM ended WHERE NOT ${restock} ON CONFLICT DO NOTHING)`,
    restock ? 'own' : 'none',
  );
}

/**
 * A part of a paid order's money to give back, in minor units. `refundedMinor` is what the operator has seen as given
 * back before; if it is no longer so, nothing happens. So a request that is repeated gives the part back once.
 */
export interface PartialRefund {
  orderId: string;
  amountMinor: number;
  refundedMinor: number;
}

/**
 * The outcome of giving back a part. `refunded`: `refundedMinor` is the new total, with what lost disputes gave back.
 * `changed_meanwhile`: another refund came first, and `refundedMinor` is the total now. `too_much`: only less than `restMinor` is a part.
 */
export type PartialRefundOutcome =
  | { kind: 'refunded'; refundedMinor: number; saleId: string }
  | { kind: 'changed_meanwhile'; refundedMinor: number }
  | { kind: 'too_much'; restMinor: number }
  | { kind: 'not_paid' };

interface LockedOrder {
  sale_id: string;
  status: string;
  amount_minor: bigint;
  refunded_minor: bigint;
}

/**
 * Gives a part of a paid order's money back. The order stays paid, and keeps its unit. A wallet has the money at once; a
 * provider's refund becomes due.
 *
 * @throws Prisma's error: the outcome is unknown, so repeat the call
 */
export function refundRowPartially(
  db: Database,
  { orderId, amountMinor, refundedMinor }: PartialRefund,
): Promise<PartialRefundOutcome> {
  return db.$transaction(async (tx): Promise<PartialRefundOutcome> => {
    const payment = await lockPaymentOf(tx, orderId);
    const order = await lockOrder(tx, orderId);
    if (order?.status !== 'paid') return { kind: 'not_paid' };
    const before = Number(order.refunded_minor);
    if (before !== refundedMinor) return { kind: 'changed_meanwhile', refundedMinor: before };
    // The money that the buyer's bank gave back counts as given back, so that the part comes on top of it.
    const keptByBuyer = payment ? keptMinor(payment.money) : 0;
    const restMinor = Math.max(0, Number(order.amount_minor) - before - keptByBuyer);
    if (amountMinor >= restMinor) return { kind: 'too_much', restMinor };
    const moreMinor = keptByBuyer + amountMinor;
    if (payment) {
      const money = { ...payment.money, refundMinor: payment.money.refundMinor + moreMinor };
      await changePayment(tx, payment, { money });
    } else {
      await returnToWallet(tx, orderId, moreMinor);
    }
    return { kind: 'refunded', refundedMinor: before + moreMinor, saleId: order.sale_id };
  });
}

/** Gives a part of an order's price back to the wallet that paid it, in one statement. */
async function returnToWallet(tx: Transaction, orderId: string, amountMinor: number): Promise<void> {
  await tx.$executeRaw(Prisma.sql`
    WITH returned AS (
      INSERT INTO transfers (order_id, kind, part, debit_account_id, credit_account_id, amount_minor, currency)
      SELECT t.order_id, 'refund', ${nextPart(orderId, 'refund')}, t.credit_account_id, t.debit_account_id,
             ${amountMinor}::bigint, t.currency
      FROM transfers t WHERE t.order_id = ${orderId}::uuid AND t.kind = 'capture'
      RETURNING order_id, credit_account_id, amount_minor),
    credited AS (
      UPDATE accounts a SET balance_minor = a.balance_minor + returned.amount_minor
      FROM returned WHERE a.id = returned.credit_account_id)
    UPDATE orders o SET refunded_minor = o.refunded_minor + returned.amount_minor, version = version + 1
    FROM returned WHERE o.id = returned.order_id`);
}

async function lockOrder(tx: Transaction, orderId: string): Promise<LockedOrder | undefined> {
  const [order] = await tx.$queryRaw<LockedOrder[]>(Prisma.sql`
    SELECT sale_id, status, amount_minor, refunded_minor FROM orders WHERE id = ${orderId}::uuid FOR UPDATE`);
  return order;
}

function lockPaymentOf(tx: Transaction, orderId: string): Promise<Payment | undefined> {
  return lockPayment(tx, Prisma.sql`p.paid_order_id = ${orderId}::uuid`);
}
