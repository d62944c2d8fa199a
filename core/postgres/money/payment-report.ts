import type { PaymentReport, ProviderEvent } from '../../rules/payment.js';
import type { ProviderName } from '../../rules/sale.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { PAY_UNTIL } from '../orders/deadline.js';
import { captureFromOutside } from './capture.js';
import { type Payment, readPayments } from './payment.js';

/**
 * The outcome of a provider's report about a payment. `late`: the order had ended. `repeated`: the report was known
 * before. `mismatch`: payment id, amount, currency or order differ from the request, so the provider is asked before
 * anything follows. `refunded_elsewhere`: the provider returned money without our request, for a paid order or for one
 * whose refund is in the wallet. `ignored`: the event reports nothing about a payment.
 */
export type ReportOutcome =
  | 'open'
  | 'paid'
  | 'late'
  | 'failed'
  | 'refunded'
  | 'repeated'
  | 'mismatch'
  | 'refunded_elsewhere'
  | 'unknown_payment'
  | 'ignored';

/** The outcome of a provider's report, and the payment that it is about, if there is one. */
export interface AppliedReport {
  outcome: ReportOutcome;
  payment?: Payment | undefined;
}

/**
 * Stores a payment provider's event (webhook message) and applies its report, in one transaction. The unique event id
 * makes this idempotent.
 *
 * @throws Prisma's error: the outcome is unknown, so retry
 */
export function applyEvent(db: Database, provider: ProviderName, event: ProviderEvent): Promise<AppliedReport> {
  return db.$transaction(async tx => {
    const [stored] = await tx.$queryRaw<{ id: bigint }[]>(Prisma.sql`
      INSERT INTO payment_events (provider, event_id, order_id, payload)
      VALUES (${provider}, ${event.eventId}, ${event.report?.orderId ?? null}::uuid, ${JSON.stringify(event)}::jsonb)
      ON CONFLICT (provider, event_id) DO NOTHING RETURNING id`);
    if (!stored)
      return { outcome: 'repeated', payment: event.report && (await lockPayment(tx, provider, event.report)) };
    const applied: AppliedReport = event.report
      ? await apply(tx, provider, { report: event.report, source: 'event' })
      : { outcome: 'ignored' };
    await tx.$executeRaw(Prisma.sql`
      UPDATE payment_events SET outcome = ${applied.outcome}, payment_id = ${applied.payment?.id ?? null}
      WHERE id = ${stored.id}`);
    return applied;
  });
}

/**
 * Applies the answer of a provider that was asked about a payment, in one transaction.
 *
 * @throws Prisma's error: ask the provider again
 */
export function applyAnswer(db: Database, provider: ProviderName, report: PaymentReport): Promise<AppliedReport> {
  return db.$transaction(tx => apply(tx, provider, { report, source: 'answer' }));
}

/**
 * A provider's report about a payment, and how it came. An event alone never sends money back; the provider's answer to
 * our question does.
 */
interface SourcedReport {
  report: PaymentReport;
  source: 'event' | 'answer';
}

async function apply(
  tx: Transaction,
  provider: ProviderName,
  { report, source }: SourcedReport,
): Promise<AppliedReport> {
  const payment = await lockPayment(tx, provider, report);
  if (!payment) return { outcome: 'unknown_payment' };
  const outcome = fits(payment, report)
    ? await follow(tx, payment, report)
    : await contradict(tx, payment, { report, source });
  return { outcome, payment };
}

/**
 * Locks the payment that a provider's report is about. An event may arrive before we know the provider's payment id;
 * then the order id identifies the payment. That payment is the order's latest attempt, because the provider's ids of
 * failed attempts are known.
 */
async function lockPayment(
  tx: Transaction,
  provider: ProviderName,
  report: PaymentReport,
): Promise<Payment | undefined> {
  const [payment] = await readPayments(
    tx,
    Prisma.sql`p.provider = ${provider}
      AND (p.provider_payment_id = ${report.paymentId} OR p.order_id = ${report.orderId ?? null}::uuid)
      ORDER BY p.provider_payment_id IS NOT DISTINCT FROM ${report.paymentId} DESC, p.attempt DESC LIMIT 1 FOR UPDATE OF p`,
  );
  return payment;
}

function fits(payment: Payment, { paymentId, orderId, amountMinor, currency }: PaymentReport): boolean {
  return (
    (payment.paymentId === null || payment.paymentId === paymentId) &&
    (orderId === undefined || orderId === payment.orderId) &&
    (payment.paymentId !== null || orderId !== undefined) &&
    payment.amountMinor === amountMinor &&
    payment.currency === currency
  );
}

async function follow(tx: Transaction, payment: Payment, report: PaymentReport): Promise<ReportOutcome> {
  const { status } = payment;
  switch (report.state) {
    case 'open':
      if (status === 'requested') await become(tx, payment, report, 'open');
      return 'open';
    case 'failed':
      if (status !== 'requested' && status !== 'open') return 'repeated';
      await become(tx, payment, report, 'failed');
      return 'failed';
    case 'paid':
      // A provider's events arrive in any order, so a report of success counts even after one of failure.
      if (status !== 'requested' && status !== 'open' && status !== 'failed') return 'repeated';
      return capture(tx, payment, report);
    case 'refunded':
      if (status === 'refunded') return (await isInWallet(tx, payment)) ? 'refunded_elsewhere' : 'repeated';
      if (status === 'paid') return 'refunded_elsewhere';
      await become(tx, payment, report, 'refunded');
      return 'refunded';
  }
}

/**
 * Tells whether an order's refund went into the buyer's wallet because the provider had refused it. If the provider
 * returns that money as well, the buyer has it twice.
 */
async function isInWallet(tx: Transaction, { orderId }: Payment): Promise<boolean> {
  const found = await tx.$queryRaw<unknown[]>(Prisma.sql`
    SELECT FROM transfers WHERE order_id = ${orderId}::uuid AND kind = 'refund_to_wallet'`);
  return found.length > 0;
}

/**
 * Pays an order with the money that a provider reports. One update checks status and deadline by Postgres's clock, so
 * exactly one of pay, cancel and expire wins.
 */
async function capture(tx: Transaction, payment: Payment, report: PaymentReport): Promise<'paid' | 'late'> {
  const paid = await tx.$executeRaw(Prisma.sql`
    UPDATE orders o SET status = 'paid', paid_at = least(clock_timestamp(), o.pay_by), version = version + 1
    FROM payments p
    WHERE o.id = p.order_id AND p.id = ${payment.id} AND o.status = 'pending_payment' AND ${PAY_UNTIL} > clock_timestamp()`);
  if (paid === 0) {
    await become(tx, payment, report, 'late');
    return 'late';
  }
  await captureFromOutside(tx, payment, payment.orderId);
  await become(tx, payment, report, 'paid');
  return 'paid';
}

async function become(tx: Transaction, { id, orderId }: Payment, report: PaymentReport, status: Payment['status']) {
  const askOn = status === 'open' ? Prisma.empty : Prisma.sql`, ask_at = NULL`;
  const paidOrder = status === 'paid' ? Prisma.sql`, paid_order_id = ${orderId}::uuid` : Prisma.empty;
  await tx.$executeRaw(Prisma.sql`
    UPDATE payments SET status = ${status}, provider_payment_id = ${report.paymentId}, updated_at = clock_timestamp()
      ${askOn} ${paidOrder}
    WHERE id = ${id}`);
}

/**
 * Handles a provider's report whose payment id, amount, currency or order differs from the request. After an event, the
 * provider is asked first. Money that its answer confirms and that nobody requested is refunded.
 */
async function contradict(tx: Transaction, payment: Payment, { report, source }: SourcedReport): Promise<'mismatch'> {
  const { id, status, paymentId } = payment;
  const isUndecided = status === 'requested' || status === 'open' || status === 'failed';
  const isOurs = paymentId === null || paymentId === report.paymentId;
  if (isUndecided && source === 'event') await askNow(tx, id);
  else if (isUndecided && isOurs && report.state === 'paid') await giveBack(tx, id, report);
  return 'mismatch';
}

async function askNow(tx: Transaction, id: bigint): Promise<void> {
  await tx.$executeRaw(Prisma.sql`UPDATE payments SET ask_at = clock_timestamp() WHERE id = ${id}`);
}

async function giveBack(tx: Transaction, id: bigint, report: PaymentReport): Promise<void> {
  await tx.$executeRaw(Prisma.sql`
    UPDATE payments SET status = 'refund_due', refund_at = clock_timestamp(), ask_at = NULL,
      provider_payment_id = ${report.paymentId}, mismatch = ${JSON.stringify(report)}::jsonb, updated_at = clock_timestamp()
    WHERE id = ${id}`);
}
