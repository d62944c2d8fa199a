import { askAgainLater, type Payment, readUnheard } from '../postgres/money/payment.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { Failures } from '../rules/failures.js';
import { providerOf, type StepContext } from '../steps/context.js';
import { createPayment, showPayUrl } from '../steps/pay-order.js';
import { takePaymentAnswer } from '../steps/payment-event.js';
import { chunks } from '../values/chunks.js';
import { inTurn } from '../values/in-turn.js';

/**
 * The most payments asked about in one round of the actor ask-providers. An answer may take 5 s, and a larger round
 * would delay payments that come due meanwhile.
 */
const ASK_BATCH = 200;

/** The most questions in flight at the providers at once, since providers limit the rate of requests. */
const ASK_TOGETHER = 8;

/**
 * Asks providers about payments whose outcome no webhook has reported. The first question comes 5 s after the payment
 * was requested, later ones with back-off. One always comes just before the payment deadline. Questions continue for a
 * day after it, as buyers' money may come late.
 *
 * @returns the number of payments asked about
 * @throws Failures with every error, after every payment was tried
 */
export async function askProviders(ctx: StepContext): Promise<number> {
  const payments = await readUnheard(ctx.db, ASK_BATCH);
  await inTurn(chunks(payments, ASK_TOGETHER), async group => {
    const results = await Promise.allSettled(group.map(payment => ask(ctx, payment)));
    const failures = group.flatMap(({ orderId }, i) => {
      const result = results[i];
      return result?.status === 'rejected' ? [{ name: `order ${orderId}`, error: result.reason }] : [];
    });
    if (failures.length > 0) throw new Failures(failures);
  });
  return payments.length;
}

async function ask(ctx: StepContext, payment: Payment): Promise<void> {
  // The next question is scheduled before the provider is called. Otherwise an unreachable provider would be asked
  // every second.
  await askAgainLater(ctx.db, payment.id);
  const report = await crashStep('ask.provider', () => providerOf(ctx, payment.provider).ask(payment));
  await crashPoint('ask.answered');
  if (report) return takePaymentAnswer(ctx, payment.provider, report);
  // The provider does not know the payment, so our request to create it was lost. The request is repeated while the
  // order can still be paid.
  if (!payment.payable || payment.status !== 'requested') return;
  const created = await createPayment(ctx, payment);
  if (created.kind !== 'open') return;
  await showPayUrl(ctx, payment.saleId, { ...payment, payUrl: created.payUrl });
}
