import {
  bookedDisputeMinor,
  isUndecided,
  mayBecome,
  owedMinor,
  type PaymentMoney,
  type PaymentStatus,
} from '../../rules/payment-money.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { bookWithOutside } from './capture.js';
import { askNoMore, lockPayment, type Mismatch, type Payment } from './payment.js';

/** A change of a payment's row, and what else is known. */
export interface PaymentChange {
  money: PaymentMoney;
  /** The provider's id of the payment. */
  paymentId?: string;
  /** The address at which the buyer pays. */
  payUrl?: string;
  /** The order that the money pays for. */
  paidOrderId?: string;
  /** The provider's report of money that nobody asked for like this. */
  mismatch?: Mismatch;
}

/**
 * Writes a payment's new status and amounts, and books what changed: parts that went back of a paid order, and what
 * disputes withhold. Nobody asks about decided money, unless an event has asked for an answer that did not come yet.
 *
 * @param tx a transaction that has locked the payment's row and then booked a capture, if there is one
 * @throws Error when the payment may not change so, which is a bug
 */
export async function changePayment(tx: Transaction, payment: Payment, change: PaymentChange): Promise<Payment> {
  const { money, paymentId, payUrl, paidOrderId, mismatch } = change;
  const { money: before } = payment;
  if (!mayBecome(before.status, money.status)) {
    throw new Error(`payment ${payment.id}: ${before.status} never becomes ${money.status}`);
  }
  await tx.$executeRaw(Prisma.sql`
    UPDATE payments SET status = ${money.status}, refund_minor = ${money.refundMinor}::bigint,
      returned_minor = ${money.returnedMinor}::bigint, compensated_minor = ${money.compensatedMinor}::bigint,
      provider_payment_id = coalesce(${paymentId ?? null}, provider_payment_id),
      pay_url = coalesce(${payUrl ?? null}, pay_url),
      paid_order_id = coalesce(${paidOrderId ?? null}::uuid, paid_order_id),
      mismatch = coalesce(${mismatch ? JSON.stringify(mismatch) : null}::jsonb, mismatch),
      ask_at = CASE WHEN ${money.status === 'requested' || money.status === 'open'} OR ask_at <= clock_timestamp() THEN ask_at END,
      refund_at = ${refundAt(before, money)}, updated_at = clock_timestamp()
    WHERE id = ${payment.id}`);
  const after: Payment = {
    ...payment,
    status: money.status,
    money,
    paymentId: paymentId ?? payment.paymentId,
    payUrl: payUrl ?? payment.payUrl,
    bookedOrderId: paidOrderId ?? payment.bookedOrderId,
    mismatch: mismatch ?? payment.mismatch,
  };
  if (after.mismatch === null && !isUndecided(money.status) && money.status !== 'late') {
    if (money.status === 'paid') await bookPart(tx, after, money.refundMinor - before.refundMinor);
    await bookDisputes(tx, after);
  }
  return after;
}

/** Chooses when a refund is tried next: at once when more is owed than before, or a dispute does not stop it any more. */
function refundAt(before: PaymentMoney, after: PaymentMoney): Prisma.Sql {
  if (owedMinor(after) === 0) return Prisma.sql`NULL`;
  const isNews = owedMinor(after) > owedMinor(before) || (before.withheldMinor > 0 && after.withheldMinor === 0);
  return isNews ? Prisma.sql`clock_timestamp()` : Prisma.sql`coalesce(refund_at, clock_timestamp())`;
}

/** Books a part that goes back of a paid order, which stays paid. */
async function bookPart(tx: Transaction, payment: Payment, amountMinor: number): Promise<void> {
  if (amountMinor <= 0) return;
  await bookWithOutside(tx, payment, { kind: 'refund', amountMinor });
  await tx.$executeRaw(Prisma.sql`
    UPDATE orders SET refunded_minor = refunded_minor + ${amountMinor}::bigint, version = version + 1
    WHERE id = ${payment.bookedOrderId}::uuid`);
}

/** Brings the ledger to what a payment's disputes withhold. */
async function bookDisputes(tx: Transaction, payment: Payment): Promise<void> {
  const { money, bookedOrderId } = payment;
  const target = bookedDisputeMinor(money);
  const [row] = await tx.$queryRaw<{ booked: bigint }[]>(Prisma.sql`
    SELECT coalesce(sum(CASE kind WHEN 'dispute' THEN amount_minor ELSE -amount_minor END), 0)::bigint AS booked
    FROM transfers WHERE order_id = ${bookedOrderId}::uuid AND kind IN ('dispute', 'dispute_reversal')`);
  const more = target - Number(row?.booked ?? 0n);
  if (more > 0) await bookWithOutside(tx, payment, { kind: 'dispute', amountMinor: more });
  if (more < 0) await bookWithOutside(tx, payment, { kind: 'dispute_reversal', amountMinor: -more });
}

/**
 * Records that the provider has created a payment, with its id and the address at which the buyer pays.
 *
 * @returns the payment's status, as an event may have arrived before the provider's answer
 */
export function markOpen(
  db: Database,
  id: bigint,
  { paymentId, payUrl }: { paymentId: string; payUrl: string },
): Promise<PaymentStatus> {
  return db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.id = ${id}`);
    if (!payment) return 'failed';
    const { money } = payment;
    const change = {
      money: money.status === 'requested' ? { ...money, status: 'open' as const } : money,
      paymentId: payment.paymentId ?? paymentId,
      payUrl,
    };
    return (await changePayment(tx, payment, change)).status;
  });
}

/** Records that the provider refused to create a payment: the attempt has failed. */
export function markRefused(db: Database, id: bigint): Promise<void> {
  return db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.id = ${id} AND p.status = 'requested'`);
    if (!payment) return;
    await changePayment(tx, payment, { money: { ...payment.money, status: 'failed' } });
    // The provider has no payment that it could tell anything about.
    await askNoMore(tx, payment.id);
  });
}
