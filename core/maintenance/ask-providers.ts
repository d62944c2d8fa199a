import { askAgainLater, type Payment, readUnheard } from '../postgres/money/payment.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { chunks } from '../rules/chunks.js';
import { providerOf, type StepContext } from '../steps/context.js';
import { inTurn } from '../steps/in-turn.js';
import { createPayment, showPayUrl } from '../steps/pay-order.js';
import { takePaymentAnswer } from '../steps/payment-event.js';

/**
 * Most payments asked about in one round. A provider answers within 5 s, and the next few questions come due meanwhile.
 */
const ASK_BATCH = 200;

/** Questions in flight at once, since providers limit their rate. */
const ASK_TOGETHER = 8;

/**
 * Asks providers about payments whose webhook is missing. The first question comes after 5 s, later ones back off. One
 * always comes just before the order expires, and more follow for a day, as money may come late.
 *
 * @returns the number of payments asked about
 * @throws the first error, after every payment was tried
 */
export async function askProviders(ctx: StepContext): Promise<number> {
  const payments = await readUnheard(ctx.db, ASK_BATCH);
  await inTurn(chunks(payments, ASK_TOGETHER), async group => {
    const results = await Promise.allSettled(group.map(payment => ask(ctx, payment)));
    const failed = results.find(result => result.status === 'rejected');
    if (failed) throw failed.reason;
  });
  return payments.length;
}

async function ask(ctx: StepContext, payment: Payment): Promise<void> {
  // Scheduled before the call, so that a provider that is away is not asked every second.
  await askAgainLater(ctx.db, payment.id);
  const report = await crashStep('ask.provider', () => providerOf(ctx, payment.provider).ask(payment));
  await crashPoint('ask.answered');
  if (report) return takePaymentAnswer(ctx, payment.provider, report);
  // The provider does not know the payment: our call was lost. While the buyer waits, it is repeated.
  if (!payment.payable || payment.status !== 'requested') return;
  const created = await createPayment(ctx, payment);
  if (created.kind !== 'open') return;
  await showPayUrl(ctx, payment.saleId, { ...payment, payUrl: created.payUrl });
}
