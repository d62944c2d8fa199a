import type { PaymentReport } from '../../rules/payment.js';
import {
  conclude,
  isStillOwed,
  owedMinor,
  type PaymentMoney,
  type RefundInFlight,
  sendableMinor,
  takeReport,
} from '../../rules/payment-money.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { nextPart } from './capture.js';
import { lockPayment, type Payment, readPayments } from './payment.js';
import { changePayment } from './payment-change.js';

/**
 * Reads the payments of which money is due to go back through their provider, the longest due first.
 *
 * @param limit the most rows
 */
export function readRefundsDue(db: Database, limit: number): Promise<Payment[]> {
  return readPayments(
    db,
    Prisma.sql`p.refund_at <= clock_timestamp() AND p.status IN ('refund_due', 'paid') ORDER BY p.refund_at LIMIT ${limit}`,
  );
}

/**
 * Longest pause between two attempts of a refund at a provider, in s. The pauses are 1, 2, 4 … s. A refund is never
 * given up, as the buyer is owed the money.
 */
const REFUND_SECONDS_MAX = 600;

/** A refund to ask the provider for. `isRepeated`: it was asked before, without an answer. */
export interface BegunRefund extends RefundInFlight {
  isRepeated: boolean;
}

/**
 * Writes down the refund that the provider is asked for next, and when it is tried again. A refund without an answer is
 * repeated as it was, with the same amount, so that the provider makes it once.
 *
 * @returns undefined when nothing is to be sent: nothing is owed any more, or a dispute is open
 * @throws Prisma's error: retry
 */
export function beginRefund(db: Database, { id }: Payment): Promise<BegunRefund | undefined> {
  return db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.id = ${id}`);
    if (!payment) return undefined;
    const { money } = payment;
    const sendable = sendableMinor(money);
    // The provider may have made a refund without an answer, also while a dispute stops the next one.
    const fresh = sendable === 0 ? null : { amountMinor: sendable, fromMinor: money.returnedMinor };
    const next = payment.refunding ?? fresh;
    await changePayment(tx, payment, { money: conclude(money) });
    await tx.$executeRaw(Prisma.sql`
      UPDATE payments SET refund_tries = refund_tries + 1, refunding_minor = ${next?.amountMinor ?? null}::bigint,
        refunding_from_minor = ${next?.fromMinor ?? null}::bigint,
        refund_at = CASE WHEN refund_at IS NOT NULL THEN
          clock_timestamp() + least(2 ^ least(refund_tries, 20), ${REFUND_SECONDS_MAX}) * interval '1 second' END
      WHERE id = ${id}`);
    return next && fresh ? { ...next, isRepeated: payment.refunding !== null } : undefined;
  });
}

/**
 * Takes a provider's answer about a payment whose refund it has not answered. Providers forget idempotency keys, so a
 * refund is repeated only if the provider has not made it.
 *
 * @returns the refund to repeat; undefined when it is made or another amount is owed meanwhile. Then the next round
 * asks for what is left
 * @throws Prisma's error: retry
 */
export function repeatRefund(
  db: Database,
  { id }: Payment,
  report: PaymentReport,
): Promise<RefundInFlight | undefined> {
  return db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.id = ${id}`);
    if (!payment) return undefined;
    const { money } = takeReport(payment.money, report, { payable: false });
    if (payment.refunding && isStillOwed(money, payment.refunding)) return payment.refunding;
    await endRefund(tx, payment, money);
    return undefined;
  });
}

/**
 * Records that the provider has returned money.
 *
 * @param refund the refund that it was asked for
 */
export function recordReturned(db: Database, { id }: Payment, refund: RefundInFlight): Promise<void> {
  return db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.id = ${id}`);
    if (!payment) return;
    const { money } = payment;
    const returned = Math.max(money.returnedMinor, Math.min(money.takenMinor, refund.fromMinor + refund.amountMinor));
    await endRefund(tx, payment, { ...money, returnedMinor: returned });
  });
}

/**
 * Handles a refund that the provider refuses. If the provider has returned more than was known, the rest is asked for
 * again. If it still has the money, the buyer gets it into the wallet, in the same transaction.
 *
 * @param report the provider's answer to a question about the payment
 * @returns whether this call moved the money
 * @throws Prisma's error: retry
 */
export function recordRefused(db: Database, { id }: Payment, report: PaymentReport): Promise<boolean> {
  return db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.id = ${id}`);
    if (!payment) return false;
    const { money } = takeReport(payment.money, report, { payable: false });
    const isNews = money.returnedMinor > payment.money.returnedMinor;
    const sendable = sendableMinor(money);
    if (isNews || sendable === 0 || (report.disputedMinor ?? 0) > 0) {
      await endRefund(tx, payment, money);
      return false;
    }
    await creditWallet(tx, payment, sendable);
    await endRefund(tx, payment, { ...money, compensatedMinor: money.compensatedMinor + sendable });
    return true;
  });
}

/**
 * Ends the refunds that are due for an order by hand, as an operator has paid the buyer in another way. The row in
 * `repairs` says so.
 *
 * @param note what the operator did
 * @returns the payments that owed money, and how much; none when nothing was due
 * @throws Prisma's error: retry
 */
export function endRefundsByHand(
  db: Database,
  orderId: string,
  note: string,
): Promise<{ amountMinor: number; currency: string }[]> {
  return db.$transaction(async tx => {
    const due = await readPayments(
      tx,
      Prisma.sql`(p.order_id = ${orderId}::uuid OR p.paid_order_id = ${orderId}::uuid) AND p.refund_at IS NOT NULL ORDER BY p.id`,
    );
    const ended: { amountMinor: number; currency: string }[] = [];
    for (const { id } of due) {
      const payment = await lockPayment(tx, Prisma.sql`p.id = ${id}`);
      const amountMinor = payment ? owedMinor(payment.money) : 0;
      if (!payment || amountMinor === 0) continue;
      const { money, takenCurrency: currency, saleId, paymentId } = payment;
      await endRefund(tx, payment, { ...money, compensatedMinor: money.compensatedMinor + amountMinor });
      const detail = JSON.stringify({ note, amountMinor, currency, paymentId });
      await tx.$executeRaw(Prisma.sql`
        INSERT INTO repairs (sale_id, claim_id, kind, detail)
        VALUES (${saleId}, ${orderId}::uuid, 'refund_by_hand', ${detail}::jsonb)`);
      ended.push({ amountMinor, currency });
    }
    return ended;
  });
}

/** Writes the amounts after a refund was answered. The rest that is owed is asked for in the next round. */
async function endRefund(tx: Transaction, payment: Payment, money: PaymentMoney): Promise<void> {
  const after = conclude(money);
  await changePayment(tx, payment, { money: after });
  const isProgress = owedMinor(after) < owedMinor(payment.money);
  await tx.$executeRaw(Prisma.sql`
    UPDATE payments SET refunding_minor = NULL, refunding_from_minor = NULL,
      refund_tries = CASE WHEN ${isProgress} THEN 0 ELSE refund_tries END,
      refund_at = CASE WHEN ${isProgress} AND refund_at IS NOT NULL THEN clock_timestamp() ELSE refund_at END
    WHERE id = ${payment.id}`);
}

/** Puts money that the provider refuses to return into the buyer's wallet. */
async function creditWallet(tx: Transaction, payment: Payment, amountMinor: number): Promise<void> {
  const { orderId, buyerId, provider, takenCurrency: currency } = payment;
  await tx.$executeRaw(Prisma.sql`
    WITH outside AS (
      INSERT INTO accounts (kind, owner, currency) VALUES ('external', ${provider}, ${currency})
      ON CONFLICT (kind, owner, currency) DO UPDATE SET currency = EXCLUDED.currency RETURNING id),
    credited AS (
      INSERT INTO accounts AS a (kind, owner, currency, balance_minor)
      VALUES ('buyer', ${buyerId}, ${currency}, ${amountMinor}::bigint)
      ON CONFLICT (kind, owner, currency) DO UPDATE SET balance_minor = a.balance_minor + EXCLUDED.balance_minor
      RETURNING id)
    INSERT INTO transfers (order_id, kind, part, debit_account_id, credit_account_id, amount_minor, currency)
    SELECT ${orderId}::uuid, 'refund_to_wallet', ${nextPart(orderId, 'refund_to_wallet')}, outside.id, credited.id,
           ${amountMinor}::bigint, ${currency}
    FROM outside, credited`);
}
