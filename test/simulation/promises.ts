import type { Dispute } from '#core/rules/dispute.js';
import { isLiveOrder } from '#core/rules/order.js';
import type { PaymentReport } from '#core/rules/payment.js';
import { isUndecided } from '#core/rules/payment-money.js';
import { heldOf } from './model/provider.js';
import type { Attempt, Order } from './model/rows.js';
import { type Message, PRICE_MINOR, type ProviderPayment, violate, type World } from './model/world.js';

// The promises, judged by the provider's books and by what buyers and operators did. The promises about single steps
// stand where those steps are: the forward-only statuses, one capture, refunds within it, and what expiry may cancel.

/** Checks that nothing waits that could be done at once. */
export function checkNothingWaits(world: World): void {
  for (const { id, money, orderId } of world.attempts) {
    const order = world.orders.get(orderId);
    if (money.status === 'late' && order?.status !== 'pending_payment') {
      violate(world, `late money of attempt ${id} is undecided, although its order has ended`);
    }
  }
  if (world.outbox.size > 0) violate(world, 'a claim is no order');
  for (const { id, release } of world.orders.values()) {
    if (release && !release.isDelivered) violate(world, `the unit of order ${id} is not released`);
  }
}

/** Checks a world at rest. */
export function checkAtRest(world: World): void {
  checkNothingWaits(world);
  for (const payment of world.payments) checkPayment(world, payment);
  for (const order of world.orders.values()) checkOrder(world, order);
  checkLedger(world);
  checkUnits(world);
  if (world.clicks.size > 0) violate(world, 'a click to pay is undecided');
}

/** Our books of a payment say what the provider's say. */
function checkPayment(world: World, payment: ProviderPayment): void {
  const attempt = world.attempts.find(one => one.orderId === payment.orderId && one.number === payment.number);
  if (!attempt) throw new Error(`payment ${payment.id} was created without a row of ours`);
  const { money } = attempt;
  const isTaken = payment.state === 'paid' || payment.state === 'refunded';
  if (isTaken !== !isUndecided(money.status)) {
    violate(world, `payment ${payment.id} is ${payment.state} at the provider, and ${money.status} with us`);
  }
  if (!isTaken) return;
  const theirs = `${payment.amountMinor} - ${payment.refundedMinor} - ${heldOf(payment)}`;
  const ours = `${money.takenMinor} - ${money.returnedMinor} - ${money.withheldMinor + money.lostMinor}`;
  if (theirs !== ours) {
    violate(world, `the provider says ${theirs} (taken, returned, withheld) of payment ${payment.id}, and we ${ours}`);
  }
  const isOwed = world.rules.owedMinor(money) > 0;
  if (isOwed && money.withheldMinor === 0)
    violate(world, `${money.refundMinor} of payment ${payment.id} never goes back`);
}

/** A paid order has its money, and every other order has given back what it took. */
function checkOrder(world: World, order: Order): void {
  const { id, status, capturedMinor, givenMinor, refundedMinor } = order;
  if (status === 'pending_payment') violate(world, `order ${id} never ends`);
  const kept = world.attempts.filter(one => one.paidOrderId === id && one.money.status === 'paid');
  if (status === 'paid' && (kept.length !== 1 || capturedMinor !== PRICE_MINOR || givenMinor !== refundedMinor)) {
    violate(world, `order ${id} is paid: ${kept.length} payments, ${capturedMinor} taken, ${givenMinor} given back`);
  }
  if (status !== 'paid' && (kept.length > 0 || capturedMinor !== givenMinor)) {
    violate(world, `order ${id} is ${status}, and we keep ${capturedMinor - givenMinor} of its money`);
  }
}

/** The ledger holds what the provider holds for us, to the unit. Money that somebody else returned beyond that is not in it. */
function checkLedger(world: World): void {
  let ledgerMinor = 0;
  for (const { capturedMinor, givenMinor, disputedMinor } of world.orders.values()) {
    ledgerMinor += capturedMinor - givenMinor - disputedMinor;
  }
  let heldMinor = 0;
  for (const attempt of world.attempts) {
    const payment = world.payments.find(one => one.orderId === attempt.orderId && one.number === attempt.number);
    if (!payment || attempt.isUnwanted || isUndecided(attempt.money.status)) continue;
    heldMinor += payment.amountMinor - payment.refundedMinor - heldOf(payment) - otherwiseMinor(attempt);
  }
  if (ledgerMinor !== heldMinor) {
    violate(world, `the ledger has ${ledgerMinor}, and the provider holds ${heldMinor} for us`);
  }
}

/**
 * What went back without the provider, and what is booked as refunded and still withheld. If somebody returned at the
 * provider what the buyer already had, the surplus is no refund in the ledger.
 */
function otherwiseMinor({ money }: Attempt): number {
  const { refundMinor, returnedMinor, compensatedMinor, withheldMinor, lostMinor } = money;
  const openMinor = Math.max(0, refundMinor - returnedMinor - compensatedMinor - withheldMinor - lostMinor);
  const surplusMinor = Math.max(0, returnedMinor + compensatedMinor - refundMinor);
  return compensatedMinor + openMinor - surplusMinor;
}

/** Every unit is free, withdrawn, or in one live claim whose order is live. */
function checkUnits(world: World): void {
  const units = [...world.stock, ...world.withdrawn];
  for (const [buyer, held] of world.claims.entries()) {
    if (!held || held.status === 'ended') continue;
    units.push(held.unit);
    const order = world.orders.get(held.claimId);
    if (order?.status !== held.status || order.unit !== held.unit) {
      violate(world, `buyer ${buyer} sees ${held.status} for unit ${held.unit}, and the order is ${order?.status}`);
    }
  }
  const expected = world.units === 1 ? '1' : '1 2';
  if (units.sort().join(' ') !== expected) violate(world, `the units are ${units.join(' ')}, and not ${expected}`);
  for (const { id, status, buyer } of world.orders.values()) {
    if (isLiveOrder(status) && world.claims[buyer]?.claimId !== id) {
      violate(world, `order ${id} is ${status}, and buyer ${buyer} does not hold its unit`);
    }
  }
  if (world.isOpen && world.standby.length > 0 && world.stock.length > 0) violate(world, 'a unit waits for nobody');
}

/** A message and each other one on its way lead to the same books in both orders. */
export function checkOrderOfMessages(world: World, { report, dispute }: Message): void {
  const { rules, attempts, messages } = world;
  const attempt = attempts.find(({ paymentId }) => String(paymentId) === (report ?? dispute)?.paymentId);
  if (!attempt || attempt.isUnwanted) return;
  for (const other of messages) {
    if (report && other.report?.paymentId === report.paymentId) {
      for (const payable of [true, false]) {
        const after = (first: PaymentReport, second: PaymentReport) =>
          rules.takeReport(rules.takeReport(attempt.money, first, { payable }).money, second, { payable }).money;
        expectSame(world, after(report, other.report), after(other.report, report));
      }
    }
    if (dispute && other.dispute?.disputeId === dispute.disputeId) {
      const known = attempt.disputes.get(Number(dispute.disputeId));
      const after = (first: Dispute, second: Dispute) => rules.joinDispute(rules.joinDispute(known, first), second);
      expectSame(world, after(dispute, other.dispute), after(other.dispute, dispute));
    }
  }
}

function expectSame(world: World, one: object, other: object): void {
  const [ours, theirs] = [JSON.stringify(one), JSON.stringify(other)];
  if (ours !== theirs) violate(world, `in one order two messages lead to ${ours}, in the other to ${theirs}`);
}
