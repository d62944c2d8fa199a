import type { DisputeReport, DisputeState } from '#core/rules/dispute.js';
import type { PaymentReport } from '#core/rules/payment.js';
import type { Attempt } from './rows.js';
import { newId, PRICE_MINOR, type ProviderPayment, violate, type World } from './world.js';

// The provider keeps books of its own, and a bank takes part in them. It knows nothing of our orders but their ids.

/** Creates the payment of an attempt, or returns the one that the attempt has. */
export function createAtProvider(world: World, { orderId, number }: Attempt): ProviderPayment | 'refused' {
  const known = world.payments.find(one => one.orderId === orderId && one.number === number);
  if (known) return known;
  if (isRefused(world, `pay-${orderId}-${number}`, 'refusesPayments')) return 'refused';
  const nothing = { refundedMinor: 0, sentMinor: 0, refundKeys: [], disputes: [] };
  const payment: ProviderPayment = {
    id: newId(world),
    orderId,
    number,
    amountMinor: PRICE_MINOR,
    state: 'open',
    ...nothing,
  };
  world.payments.push(payment);
  world.tell?.(`  the provider has payment ${payment.id} for order ${orderId}`);
  return payment;
}

/** A refusal is final: repeated with the same key, a request is refused again (docs/payments.md). */
function isRefused(world: World, key: string, mood: 'refusesPayments' | 'refusesRefunds'): boolean {
  if (world[mood]) world.refusedKeys.add(key);
  return world.refusedKeys.has(key);
}

/** Answers a question about the payment of an attempt. */
export function askProvider({ payments }: World, { orderId, number }: Attempt): PaymentReport | undefined {
  const payment = payments.find(one => one.orderId === orderId && one.number === number);
  return payment && { ...reportOf(payment), refundedMinor: payment.refundedMinor, disputedMinor: heldOf(payment) };
}

function reportOf({ id, orderId, state, amountMinor }: ProviderPayment): PaymentReport {
  return { paymentId: String(id), orderId: String(orderId), state, amountMinor, currency: 'EUR' };
}

/** Takes the money of an open payment, however late. */
export function takeMoney(world: World, payment: ProviderPayment, amountMinor: number): void {
  payment.state = 'paid';
  payment.amountMinor = amountMinor;
  send(world, `payment ${payment.id} succeeded`, { report: reportOf(payment) });
}

/** Lets an open payment fail for good. */
export function failPayment(world: World, payment: ProviderPayment): void {
  payment.state = 'failed';
  send(world, `payment ${payment.id} failed`, { report: reportOf(payment) });
}

/** Returns money; more than is left, or withheld by the bank, is refused. The same key is returned once. */
export function returnMoney(
  world: World,
  payment: ProviderPayment,
  { amountMinor, key }: { amountMinor: number; key: string },
): boolean {
  if (payment.refundKeys.includes(key)) return true;
  if (payment.state !== 'paid' || amountMinor <= 0 || amountMinor > leftOf(payment)) return false;
  payment.refundKeys.push(key);
  payment.refundedMinor += amountMinor;
  if (payment.refundedMinor === payment.amountMinor) payment.state = 'refunded';
  const report = { ...reportOf(payment), refundedMinor: payment.refundedMinor };
  send(world, `${payment.refundedMinor} of payment ${payment.id} is refunded`, { report });
  return true;
}

/** Returns what the provider can still return of a payment. */
export function leftOf(payment: ProviderPayment): number {
  return payment.amountMinor - payment.refundedMinor - heldOf(payment);
}

/** Returns what open and lost disputes withhold. */
export function heldOf({ disputes }: ProviderPayment): number {
  let heldMinor = 0;
  for (const { state, amountMinor } of disputes) if (state === 'open' || state === 'lost') heldMinor += amountMinor;
  return heldMinor;
}

/** Opens a dispute about a payment, or an inquiry, which withholds nothing. */
export function createDispute(
  world: World,
  payment: ProviderPayment,
  terms: Pick<DisputeReport, 'state' | 'amountMinor'>,
): void {
  const dispute = { disputeId: String(newId(world)), paymentId: String(payment.id), currency: 'EUR', ...terms };
  payment.disputes.push(dispute);
  tellDispute(world, payment, dispute);
}

/** Moves a dispute on. */
export function moveDispute(
  world: World,
  payment: ProviderPayment,
  { dispute, state }: { dispute: DisputeReport; state: DisputeState },
): void {
  dispute.state = state;
  tellDispute(world, payment, dispute);
}

function tellDispute(world: World, { id }: ProviderPayment, dispute: DisputeReport): void {
  const words = `the dispute about ${dispute.amountMinor} of payment ${id} is ${dispute.state}`;
  send(world, words, { dispute: { ...dispute } });
}

function send(world: World, words: string, content: { report: PaymentReport } | { dispute: DisputeReport }): void {
  world.messages.push({ eventId: newId(world), words, ...content });
}

/**
 * Takes our request to return money.
 *
 * @returns whether it was returned, now or before
 */
export function refundAtProvider(
  world: World,
  attempt: Attempt,
  { amountMinor, fromMinor }: { amountMinor: number; fromMinor: number },
): boolean {
  const payment = world.payments.find(one => one.orderId === attempt.orderId && one.number === attempt.number);
  if (!payment) return false;
  const isWhole = amountMinor === attempt.money.takenMinor;
  const key = isWhole ? 'whole' : `${fromMinor}-${fromMinor + amountMinor}`;
  const finalKey = `refund-${payment.id}-${key}`;
  if (!payment.refundKeys.includes(key) && isRefused(world, finalKey, 'refusesRefunds')) return false;
  const isRepeated = payment.refundKeys.includes(key);
  // A refund of everything is one of all that is left.
  const wantedMinor = isWhole ? payment.amountMinor - payment.refundedMinor : amountMinor;
  if (!returnMoney(world, payment, { amountMinor: wantedMinor, key })) {
    world.refusedKeys.add(finalKey);
    return false;
  }
  if (!isRepeated) payment.sentMinor += wantedMinor;
  const sentMinor = payment.sentMinor + attempt.walletMinor + attempt.byHandMinor;
  if (sentMinor > attempt.decidedMinor) {
    violate(world, `${sentMinor} went back of payment ${payment.id}, and only ${attempt.decidedMinor} was to go back`);
  }
  return true;
}
