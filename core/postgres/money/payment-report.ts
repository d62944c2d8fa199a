import type { PaymentReport, ProviderEvent } from '../../rules/payment.js';
import { isUndecided, type ReportOutcome, takeReport, takeUnwanted } from '../../rules/payment-money.js';
import type { ProviderName } from '../../rules/sale.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { payRow } from './capture.js';
import { applyDispute } from './disputes.js';
import { askNoMore, askNow, lockPayment, type Payment } from './payment.js';
import { changePayment } from './payment-change.js';

/** The outcome of a provider's report, and the payment after it, if there is one. */
export interface AppliedReport {
  outcome: ReportOutcome;
  payment?: Payment | undefined;
  /** Whether the report has just paid the order. */
  paysOrder?: boolean;
}

/**
 * Stores a payment provider's event (webhook message) and applies its report, in one transaction. The unique event id
 * makes this idempotent. An event that was ignored is applied when it comes again with content: an older version may
 * not have read it.
 *
 * @throws Prisma's error: the outcome is unknown, so retry
 */
export function applyEvent(db: Database, provider: ProviderName, event: ProviderEvent): Promise<AppliedReport> {
  const about = event.report ?? event.dispute;
  return db.$transaction(async tx => {
    const [stored] = await tx.$queryRaw<{ id: bigint }[]>(Prisma.sql`
      INSERT INTO payment_events (provider, event_id, order_id, payload)
      VALUES (${provider}, ${event.eventId}, ${about?.orderId ?? null}::uuid, ${JSON.stringify(event)}::jsonb)
      ON CONFLICT (provider, event_id) DO UPDATE SET order_id = EXCLUDED.order_id, payload = EXCLUDED.payload
        WHERE payment_events.outcome = 'ignored' AND ${about !== undefined} RETURNING id`);
    if (!stored) return { outcome: 'repeated', payment: about && (await lockReported(tx, provider, about)) };
    const applied = await applyContent(tx, provider, event);
    await tx.$executeRaw(Prisma.sql`
      UPDATE payment_events SET outcome = ${applied.outcome}, payment_id = ${applied.payment?.id ?? null}
      WHERE id = ${stored.id}`);
    return applied;
  });
}

async function applyContent(
  tx: Transaction,
  provider: ProviderName,
  { report, dispute }: ProviderEvent,
): Promise<AppliedReport> {
  if (report) return apply(tx, provider, { report, source: 'event' });
  if (!dispute) return { outcome: 'ignored' };
  const payment = await lockReported(tx, provider, dispute);
  if (!payment) return { outcome: nobodys(dispute) };
  return isAbout(payment, dispute) ? applyDispute(tx, payment, dispute) : { outcome: 'mismatch', payment };
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
  const payment = await lockReported(tx, provider, report);
  if (!payment) return { outcome: nobodys(report) };
  if (!fits(payment, report)) return contradict(tx, payment, { report, source });
  if (source === 'answer' || tellsTotal(report)) return follow(tx, payment, report);
  await askNow(tx, payment.id);
  return { outcome: 'ignored', payment };
}

/**
 * Tells whether an event says how much went back. An API of an older version reports every refund as one of everything,
 * without the total. So the provider is asked.
 */
function tellsTotal({ state, refundedMinor }: PaymentReport): boolean {
  return state !== 'refunded' || refundedMinor !== undefined;
}

/** Tells ours from payments of others who use the same account at the provider: only ours name an order. */
function nobodys({ orderId }: { orderId?: string | undefined }): ReportOutcome {
  return orderId === undefined ? 'foreign' : 'unknown_payment';
}

/**
 * Locks the payment that a provider's report is about. An event may arrive before we know the provider's payment id;
 * then the order id identifies the payment. That payment is the order's latest attempt, because the provider's ids of
 * failed attempts are known.
 */
function lockReported(
  tx: Transaction,
  provider: ProviderName,
  { paymentId, orderId }: Reported,
): Promise<Payment | undefined> {
  return lockPayment(
    tx,
    Prisma.sql`p.provider = ${provider}
      AND (p.provider_payment_id = ${paymentId} OR p.order_id = ${orderId ?? null}::uuid)
      ORDER BY p.provider_payment_id IS NOT DISTINCT FROM ${paymentId} DESC, p.attempt DESC`,
  );
}

type Reported = Pick<PaymentReport, 'paymentId' | 'orderId'>;

/** Tells whether a report is about a payment, by its ids: an order may have been named with a payment of somebody else. */
function isAbout(payment: Payment, { paymentId, orderId }: Reported): boolean {
  return (
    (payment.paymentId === null || payment.paymentId === paymentId) &&
    (orderId === undefined || orderId === payment.orderId) &&
    (payment.paymentId !== null || orderId !== undefined)
  );
}

/** Tells whether a report is about the money that was asked for, or about the other money that came. */
function fits(payment: Payment, report: PaymentReport): boolean {
  const { amountMinor, currency } = report;
  const expectedMinor = payment.money.takenMinor || payment.amountMinor;
  return isAbout(payment, report) && expectedMinor === amountMinor && payment.takenCurrency === currency;
}

async function follow(tx: Transaction, payment: Payment, report: PaymentReport): Promise<AppliedReport> {
  const isNewMoney = isUndecided(payment.status) && (report.state === 'paid' || report.state === 'refunded');
  const paysOrder = isNewMoney && (await payRow(tx, payment));
  const { money, outcome } = takeReport(payment.money, report, { payable: paysOrder });
  // A report that tells nothing new still tells the provider's id.
  const change = { money, paymentId: report.paymentId, ...(paysOrder ? { paidOrderId: payment.orderId } : {}) };
  return { outcome, payment: await changePayment(tx, payment, change), paysOrder };
}

/**
 * Handles a provider's report whose payment id, amount, currency or order differs from the request. After an event, the
 * provider is asked first. Money that its answer confirms and that nobody requested is refunded.
 */
async function contradict(
  tx: Transaction,
  payment: Payment,
  { report, source }: SourcedReport,
): Promise<AppliedReport> {
  const isOurs = payment.paymentId === null || payment.paymentId === report.paymentId;
  if (!isUndecided(payment.status)) {
    if (source === 'answer') await askNoMore(tx, payment.id);
    return { outcome: 'mismatch', payment };
  }
  if (source === 'event') await askNow(tx, payment.id);
  else if (isOurs && (report.state === 'paid' || report.state === 'refunded')) {
    const money = takeUnwanted(payment.money, report);
    const change = { money, paymentId: report.paymentId, mismatch: report };
    return { outcome: 'mismatch', payment: await changePayment(tx, payment, change) };
  }
  return { outcome: 'mismatch', payment };
}
