import {
  type Dispute,
  type DisputeReport,
  type DisputeState,
  disputedAmounts,
  joinDispute,
} from '../../rules/dispute.js';
import { conclude, isUndecided, type ReportOutcome } from '../../rules/payment-money.js';
import { Prisma, type Transaction } from '../database.js';
import { askNow, type Payment } from './payment.js';
import { changePayment } from './payment-change.js';

interface DisputeRow {
  status: DisputeState;
  amount_minor: bigint;
}

/**
 * Records what a provider reports of a dispute, and books what the bank withholds or returns. A report that comes late
 * changes nothing.
 *
 * @param tx a transaction that has locked the payment's row
 */
export async function applyDispute(
  tx: Transaction,
  payment: Payment,
  report: DisputeReport,
): Promise<{ outcome: ReportOutcome; payment: Payment }> {
  const known = await readDispute(tx, payment, report.disputeId);
  const dispute = joinDispute(known, report);
  if (known?.state === dispute.state && known.amountMinor === dispute.amountMinor) {
    return { outcome: 'repeated', payment };
  }
  await writeDispute(tx, payment, { ...report, ...dispute });
  if (report.currency !== payment.takenCurrency) return { outcome: 'mismatch', payment };
  const outcome = dispute.state === 'won' || dispute.state === 'lost' ? 'dispute_closed' : 'disputed';
  // Somebody disputes a payment that Dropline takes for unpaid: the provider knows better.
  if (isUndecided(payment.status)) {
    await askNow(tx, payment.id);
    return { outcome, payment };
  }
  const money = conclude({ ...payment.money, ...disputedAmounts(await readDisputes(tx, payment)) });
  return { outcome, payment: await changePayment(tx, payment, { money }) };
}

async function readDispute(tx: Transaction, { provider }: Payment, disputeId: string): Promise<Dispute | undefined> {
  const [row] = await tx.$queryRaw<DisputeRow[]>(Prisma.sql`
    SELECT status, amount_minor FROM disputes WHERE provider = ${provider} AND provider_dispute_id = ${disputeId}`);
  return row && disputeOf(row);
}

async function readDisputes(tx: Transaction, { id, takenCurrency }: Payment): Promise<Dispute[]> {
  const rows = await tx.$queryRaw<DisputeRow[]>(Prisma.sql`
    SELECT status, amount_minor FROM disputes WHERE payment_id = ${id} AND currency = ${takenCurrency}`);
  return rows.map(disputeOf);
}

function disputeOf({ status, amount_minor }: DisputeRow): Dispute {
  return { state: status, amountMinor: Number(amount_minor) };
}

async function writeDispute(tx: Transaction, payment: Payment, dispute: DisputeReport): Promise<void> {
  const { disputeId, state, amountMinor, currency } = dispute;
  const endedAt = state === 'won' || state === 'lost' ? Prisma.sql`clock_timestamp()` : Prisma.sql`NULL::timestamptz`;
  await tx.$executeRaw(Prisma.sql`
    INSERT INTO disputes AS d (payment_id, provider, provider_dispute_id, status, amount_minor, currency, ended_at)
    VALUES (${payment.id}, ${payment.provider}, ${disputeId}, ${state}, ${amountMinor}::bigint, ${currency}, ${endedAt})
    ON CONFLICT (provider, provider_dispute_id) DO UPDATE
      SET status = EXCLUDED.status, amount_minor = EXCLUDED.amount_minor, ended_at = coalesce(d.ended_at, EXCLUDED.ended_at)`);
}
