import type { PaymentReport } from '../../rules/payment.js';
import { conclude, owedMinor, type PaymentMoney } from '../../rules/payment-money.js';
import {
  type BegunRefund,
  isUnanswered,
  nextRefund,
  type RefundInFlight,
  takeAnswer,
  takeRefusal,
  takeReturned,
} from '../../rules/refund.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { NOW } from '../now.js';
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
    Prisma.sql`p.refund_at <= ${NOW} AND p.status IN ('refund_due', 'paid') ORDER BY p.refund_at LIMIT ${limit}`,
  );
}

/**
 * Longest pause between two attempts of a refund at a provider, in s. The pauses are 1, 2, 4 … s. A refund is never
 * given up, as the buyer is owed the money.
 */
const REFUND_SECONDS_MAX = 600;

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
    const next = nextRefund(payment.money, payment.refunding);
    // The provider may have made a refund without an answer, also while a dispute stops the next one.
    const inFlight = next ?? payment.refunding;
    await changePayment(tx, payment, { money: conclude(payment.money) });
    await tx.$executeRaw(Prisma.sql`
      UPDATE payments SET refund_tries = refund_tries + 1, refunding_minor = ${inFlight?.amountMinor ?? null}::bigint,
        refunding_from_minor = ${inFlight?.fromMinor ?? null}::bigint,
        refund_at = CASE WHEN refund_at IS NOT NULL THEN
          clock_timestamp() + least(2 ^ least(refund_tries, 20), ${REFUND_SECONDS_MAX}) * interval '1 second' END
      WHERE id = ${id}`);
    return next;
  });
}

/** A refund that has begun, and the provider's answer to a question about the payment after that. */
interface AskedRefund {
  refund: RefundInFlight;
  report: PaymentReport;
}

/**
 * Takes a provider's answer about a payment before a refund of it is sent, perhaps not for the first time.
 *
 * @returns whether to send the refund. Not if it is made, another amount is owed meanwhile, or another process has
 * dealt with it. Then the next round asks for what is left
 * @throws Prisma's error: retry
 */
export function maySend(db: Database, { id }: Payment, { refund, report }: AskedRefund): Promise<boolean> {
  return db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.id = ${id}`);
    if (!payment) return false;
    const { money, sends } = takeAnswer(payment.money, { refund, unanswered: payment.refunding, report });
    if (!sends) await endRefund(tx, payment, { refund, money });
    return sends;
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
    if (payment) await endRefund(tx, payment, { refund, money: takeReturned(payment.money, refund) });
  });
}

/**
 * Handles a refund that the provider refuses. If the provider has returned more than was known, the rest is asked for
 * again. If it still has the money, the buyer gets it into the wallet, in the same transaction.
 *
 * @returns whether this call moved the money
 * @throws Prisma's error: retry
 */
export function recordRefused(db: Database, { id }: Payment, { refund, report }: AskedRefund): Promise<boolean> {
  return db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.id = ${id}`);
    if (!payment) return false;
    const { money, walletMinor } = takeRefusal(payment.money, { refund, unanswered: payment.refunding, report });
    if (walletMinor > 0) await creditWallet(tx, payment, walletMinor);
    await endRefund(tx, payment, { refund, money });
    return walletMinor > 0;
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
      await endRefund(tx, payment, {
        refund: payment.refunding,
        money: { ...money, compensatedMinor: money.compensatedMinor + amountMinor },
      });
      const detail = JSON.stringify({ note, amountMinor, currency, paymentId });
      await tx.$executeRaw(Prisma.sql`
        INSERT INTO repairs (sale_id, claim_id, kind, detail)
        VALUES (${saleId}, ${orderId}::uuid, 'refund_by_hand', ${detail}::jsonb)`);
      ended.push({ amountMinor, currency });
    }
    return ended;
  });
}

/** A refund that has ended, if one was asked for at the provider, and the amounts after it. */
interface EndedRefund {
  refund: RefundInFlight | null;
  money: PaymentMoney;
}

/**
 * Writes the amounts after a refund was answered. The rest that is owed is asked for in the next round. If another
 * refund has begun meanwhile, it stays unanswered.
 */
async function endRefund(tx: Transaction, payment: Payment, { refund, money }: EndedRefund): Promise<void> {
  const after = conclude(money);
  await changePayment(tx, payment, { money: after });
  const isProgress = owedMinor(after) < owedMinor(payment.money);
  const next = refund && isUnanswered(refund, payment.refunding) ? null : payment.refunding;
  await tx.$executeRaw(Prisma.sql`
    UPDATE payments SET refunding_minor = ${next?.amountMinor ?? null}::bigint,
      refunding_from_minor = ${next?.fromMinor ?? null}::bigint,
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
