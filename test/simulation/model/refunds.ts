import type { PaymentReport } from '#core/rules/payment.js';
import type { PaymentMoney } from '#core/rules/payment-money.js';
import type { BegunRefund, RefundInFlight } from '#core/rules/refund.js';
import { book, endOrder } from './orders.js';
import { changePayment } from './payments.js';
import type { Attempt, Order } from './rows.js';
import { violate, type World } from './world.js';

// The transactions that give money back: each function is one.

const REFUND_PAUSE_MAX = 600;

/** A refund that the provider refused or did not answer, and its answer to a question about the payment after that. */
interface AskedRefund {
  refund: RefundInFlight;
  report: PaymentReport;
}

/** refundRow: gives back what is left of an order's money, and ends the order. */
export function refundWhole(world: World, order: Order, freesUnit: boolean): number[] {
  if (!world.rules.mayRefund(order)) return [];
  const attempt = paidBy(world, order);
  const released = endOrder(world, order, { status: 'refunded', reason: 'refunded_by_shop', freesUnit });
  const restMinor = order.capturedMinor - order.refundedMinor;
  if (restMinor > 0) book(world, order, { kind: 'refund', amountMinor: restMinor });
  if (attempt) {
    changePayment(world, attempt, { money: world.rules.conclude({ ...attempt.money, status: 'refund_due' }) });
  }
  return released;
}

/** refundPart: gives a part back; the order stays paid. */
export function refundPart(
  world: World,
  order: Order,
  { amountMinor, seenMinor }: { amountMinor: number; seenMinor: number },
): void {
  const attempt = paidBy(world, order);
  // The money that the buyer's bank gave back counts as given back, so that the part comes on top of it.
  const keptMinor = attempt ? world.rules.keptMinor(attempt.money) : 0;
  if (!attempt || !world.rules.mayRefundPart(order, { amountMinor, seenMinor, keptMinor })) return;
  const { money } = attempt;
  attempt.decidedMinor += amountMinor;
  changePayment(world, attempt, { money: { ...money, refundMinor: money.refundMinor + keptMinor + amountMinor } });
}

function paidBy({ attempts }: World, { id }: Order): Attempt | undefined {
  return attempts.find(one => one.paidOrderId === id);
}

/** beginRefund: writes down what the provider is asked for next, and when it is tried again. */
export function beginRefund(world: World, attempt: Attempt): BegunRefund | undefined {
  const { rules, now } = world;
  const unanswered = unansweredOf(world, attempt);
  const next = rules.nextRefund(attempt.money, unanswered);
  if (next && attempt.money.withheldMinor > 0) {
    violate(world, `a refund of payment ${attempt.paymentId} is sent while the bank withholds the money`);
  }
  changePayment(world, attempt, { money: rules.conclude(attempt.money) });
  attempt.refunding = next ? { amountMinor: next.amountMinor, fromMinor: next.fromMinor } : unanswered;
  const pause = Math.min(2 ** Math.min(attempt.refundTries, 20), REFUND_PAUSE_MAX);
  if (attempt.refundAt !== undefined) attempt.refundAt = now + pause;
  attempt.refundTries += 1;
  return next;
}

/** `refunding` of a payment as it is read: the refund without an answer. */
export function unansweredOf({ rules }: World, { money, refunding }: Attempt): RefundInFlight | null {
  return rules.unansweredRefund(money, refunding);
}

/** maySend: takes the provider's answer about a payment whose refund it has not answered. */
export function maySend(world: World, attempt: Attempt, { refund, report }: AskedRefund): boolean {
  const answer = { refund, unanswered: unansweredOf(world, attempt), report };
  const { money, sends } = world.rules.takeAnswer(attempt.money, answer);
  if (!sends) endRefund(world, attempt, { refund, money });
  return sends;
}

/** recordReturned: records that the provider made a refund. */
export function recordReturned(world: World, attempt: Attempt, refund: RefundInFlight): void {
  endRefund(world, attempt, { refund, money: world.rules.takeReturned(attempt.money, refund) });
}

/** recordRefused: asks for the rest, or credits the buyer's wallet, after the provider refused a refund. */
export function recordRefused(world: World, attempt: Attempt, { refund, report }: AskedRefund): void {
  const refusal = { refund, unanswered: unansweredOf(world, attempt), report };
  const { money, walletMinor } = world.rules.takeRefusal(attempt.money, refusal);
  if (walletMinor > 0) {
    attempt.walletMinor += walletMinor;
    world.tell?.(`  the buyer gets ${walletMinor} into the wallet`);
    const goneMinor =
      (report.refundedMinor ?? 0) + (report.disputedMinor ?? 0) + attempt.walletMinor + attempt.byHandMinor;
    if (goneMinor > report.amountMinor) {
      violate(world, `the buyer has ${goneMinor} of the ${report.amountMinor} of payment ${report.paymentId} again`);
    }
  }
  endRefund(world, attempt, { refund, money });
}

/** endRefundsByHand: an operator has paid the buyer in another way. */
export function endRefundByHand(world: World, attempt: Attempt): void {
  const amountMinor = world.rules.owedMinor(attempt.money);
  attempt.byHandMinor += amountMinor;
  const money = { ...attempt.money, compensatedMinor: attempt.money.compensatedMinor + amountMinor };
  endRefund(world, attempt, { refund: unansweredOf(world, attempt), money });
}

/** endRefund: writes the amounts after a refund was answered. */
function endRefund(
  world: World,
  attempt: Attempt,
  { refund, money }: { refund: RefundInFlight | null; money: PaymentMoney },
): void {
  const { rules, now } = world;
  const owedBefore = rules.owedMinor(attempt.money);
  const unanswered = unansweredOf(world, attempt);
  const after = rules.conclude(money);
  changePayment(world, attempt, { money: after });
  const isProgress = rules.owedMinor(after) < owedBefore;
  attempt.refunding = refund && rules.isUnanswered(refund, unanswered) ? null : unanswered;
  if (isProgress) attempt.refundTries = 0;
  attempt.refundAt = rules.refundAtAfterAnswer({ isProgress, planned: attempt.refundAt, now });
}
