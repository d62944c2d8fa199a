import { readLateMoney } from '../postgres/money/late-money.js';
import type { Payment } from '../postgres/money/payment.js';
import { markRefunded, readRefundsDue, refundAgainLater, refundToWallet } from '../postgres/money/refund.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { refundRefused } from '../process/telemetry.js';
import { providerOf, type StepContext } from '../steps/context.js';
import { decideLateMoney, tellRefunded } from '../steps/decide-late-money.js';
import { inTurn } from '../steps/in-turn.js';
import { pages } from './pages.js';

/** A provider answers within 5 s at worst; what is left is done by the next run. */
const FINISH_BATCH = 50;

/**
 * Finishes what nobody finished: decides about late money whose decision was interrupted, and gives back what is owed, through the
 * provider until it has done it, or into the buyer's wallet when it refuses.
 *
 * @param ctx the stores and the providers
 * @returns how many payments it worked on
 * @throws what went wrong with the first of them, once it was tried for all
 */
export async function finishPayments(ctx: StepContext): Promise<number> {
  let finished = 0;
  const each = async (payments: Payment[], finish: (ctx: StepContext, payment: Payment) => Promise<void>) => {
    finished += payments.length;
    await inTurn(payments, payment => finish(ctx, payment));
  };
  const lateMoney = pages(FINISH_BATCH, id => readLateMoney(ctx.db, FINISH_BATCH, id));
  // What fails for late money holds up nobody's refund.
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
  // Counted first: a provider that is away is asked ever more seldom, and its own idempotency key makes asking again harmless.
  await refundAgainLater(ctx.db, payment.id);
  const outcome = await crashStep('refund.provider', () => providerOf(ctx, payment.provider).refund(payment));
  await crashPoint('refund.returned');
  if (outcome === 'refunded' || (outcome === 'refused' && (await isGivenBack(ctx, payment)))) {
    await crashStep('refund.mark', () => markRefunded(ctx.db, payment.id));
  } else if (outcome === 'refused' && (await refundToWallet(ctx.db, payment))) {
    refundRefused(payment.orderId);
  }
  await tellRefunded(ctx, payment);
}

/**
 * A provider refuses as well what it has given back before: by a call whose answer was lost too long ago, or by hand.
 *
 * @throws when the provider doesn't say that it has the money: then nobody knows where it is, and it is asked again later
 */
async function isGivenBack(ctx: StepContext, payment: Payment): Promise<boolean> {
  const report = await providerOf(ctx, payment.provider).ask(payment);
  if (report?.state !== 'paid' && report?.state !== 'refunded') {
    throw new Error(
      `a provider refused to give back payment ${payment.id}, and says that it is ${report?.state ?? 'unknown'}`,
    );
  }
  return report.state === 'refunded';
}
