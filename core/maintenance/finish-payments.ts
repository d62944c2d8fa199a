import { beginRefund, maySend, readRefundsDue, recordRefused, recordReturned } from '../postgres/money/due-refunds.js';
import { readLateMoney } from '../postgres/money/late-money.js';
import type { Payment } from '../postgres/money/payment.js';
import { pages } from '../postgres/pages.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { refundFailed, refundMade, refundRefused } from '../process/money-telemetry.js';
import type { PaymentReport } from '../rules/payment.js';
import type { RefundInFlight } from '../rules/refund.js';
import { providerOf, type StepContext } from '../steps/context.js';
import { decideLateMoney, tellRefunded } from '../steps/decide-late-money.js';
import { inTurn } from '../values/in-turn.js';

/**
 * The most payments read at once, and the most refunds of one round. A provider may take 5 s for a refund; the next
 * round takes the rest.
 */
const FINISH_BATCH = 50;

/**
 * Finishes work on payments that was cut off. Late money, which arrived after its order had ended, is decided. Refunds
 * go through the provider, or into the buyer's wallet when the provider refuses.
 *
 * @returns the number of payments worked on
 * @throws Failures with every error, after every payment was tried
 */
export async function finishPayments(ctx: StepContext): Promise<number> {
  let finished = 0;
  const each = async (payments: Payment[], finish: (ctx: StepContext, payment: Payment) => Promise<void>) => {
    finished += payments.length;
    await inTurn(
      payments,
      payment => finish(ctx, payment),
      ({ orderId }) => `order ${orderId}`,
    );
  };
  const lateMoney = pages(FINISH_BATCH, id => readLateMoney(ctx.db, FINISH_BATCH, id));
  // Late money and refunds are tried separately, so that a failure of the first does not hold up the second.
  await inTurn(
    [
      () => inTurn(lateMoney, payments => each(payments, decideLateMoney)),
      async () => each(await readRefundsDue(ctx.db, FINISH_BATCH), giveBack),
    ],
    half => half(),
  );
  return finished;
}

async function giveBack(ctx: StepContext, payment: Payment): Promise<void> {
  // The next attempt is scheduled before the provider is called, so that an unreachable provider is tried with
  // back-off. The idempotency key makes a repeated refund harmless.
  const begun = await beginRefund(ctx.db, payment);
  if (begun) {
    try {
      const { asksFirst, ...refund } = begun;
      if (!asksFirst || (await askFirst(ctx, payment, refund))) await send(ctx, payment, refund);
    } catch (error) {
      refundFailed(payment.orderId, error);
      throw error;
    }
  }
  await tellRefunded(ctx, payment);
}

/** Asks a provider what went back of a payment, and tells whether to send a refund. */
async function askFirst(ctx: StepContext, payment: Payment, refund: RefundInFlight): Promise<boolean> {
  const report = await askAbout(ctx, payment);
  return crashStep('refund.mark', () => maySend(ctx.db, payment, { refund, report }));
}

async function send(ctx: StepContext, payment: Payment, refund: RefundInFlight): Promise<void> {
  const request = { ...refund, isWhole: refund.amountMinor === payment.money.takenMinor };
  const outcome = await crashStep('refund.provider', () => providerOf(ctx, payment.provider).refund(payment, request));
  await crashPoint('refund.returned');
  if (outcome === 'refunded') {
    await crashStep('refund.mark', () => recordReturned(ctx.db, payment, refund));
    refundMade(payment.orderId);
  } else if (outcome === 'refused') {
    const report = await askAbout(ctx, payment);
    const refused = { refund, report };
    if (await crashStep('refund.mark', () => recordRefused(ctx.db, payment, refused))) refundRefused(payment.orderId);
  }
}

/**
 * Asks a provider about a payment whose refund it refuses, or has not answered. It may have returned the money already,
 * by hand or after an unanswered call.
 *
 * @throws Error when the provider reports neither `paid` nor `refunded`: the refund is retried later
 */
async function askAbout(ctx: StepContext, payment: Payment): Promise<PaymentReport> {
  const report = await providerOf(ctx, payment.provider).ask(payment);
  if (report?.state === 'paid' || report?.state === 'refunded') return report;
  throw new Error(
    `payment ${payment.id} is to go back, and its provider says that it is ${report?.state ?? 'unknown'}`,
  );
}
