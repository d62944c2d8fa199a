import { askAgainLater, type Payment, readUnheard } from '../postgres/money/payment.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { chunks } from '../rules/chunks.js';
import { providerOf, type StepContext } from '../steps/context.js';
import { inTurn } from '../steps/in-turn.js';
import { createPayment, showPayUrl } from '../steps/pay-order.js';
import { takePaymentAnswer } from '../steps/payment-event.js';

/** A provider answers within 5 s at worst, and a run should end before the next few are due. */
const ASK_BATCH = 200;

/** Providers limit how many questions they take at once. */
const ASK_TOGETHER = 8;

/**
 * Asks providers about every payment that nothing was heard of: webhooks get lost. The first question comes after 5 s, the next ones
 * ever more seldom, one always just before the order expires, and for a day after that, as money may come late.
 *
 * @param ctx the stores and the providers
 * @returns how many payments were asked about
 * @throws what went wrong with the first that could not be asked about, once it was tried for all
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
  // Before anything can go wrong: a provider that is away is not asked every second.
  await askAgainLater(ctx.db, payment.id);
  const report = await crashStep('ask.provider', () => providerOf(ctx, payment.provider).ask(payment));
  await crashPoint('ask.answered');
  if (report) return takePaymentAnswer(ctx, payment.provider, report);
  // The provider never heard of it: our call was lost. While the buyer waits, it is made again.
  if (!payment.payable || payment.status !== 'requested') return;
  const created = await createPayment(ctx, payment);
  if (created.kind !== 'open') return;
  await showPayUrl(ctx, payment.saleId, payment, created.payUrl);
}
