import type { DisputeState } from '#core/rules/dispute.js';
import { refundOrder } from './model/processes.js';
import { createDispute, failPayment, leftOf, moveDispute, returnMoney, takeMoney } from './model/provider.js';
import { claim, clickToPay } from './model/redis.js';
import { endRefundByHand, unansweredOf } from './model/refunds.js';
import { BUYERS, newId, PRICE_MINOR, type ProviderPayment, type World } from './model/world.js';
import { begin, type Move, OPERATOR } from './move.js';

// The moves of buyers, the provider, the bank and the operator.

const PARTS = [500, 800, 1_199];
const PAUSES = [1, 6, 31, 61];
/** The argument of a refund that is asked for once more. */
const REPEATED = 31;
const NEXT_STATES: readonly DisputeState[] = ['open', 'won', 'lost'];

const onPayment = (weight: number, act: (world: World, payment: ProviderPayment, more: number) => boolean): Move => ({
  weight,
  make(world, argument) {
    const payment = world.payments[(argument % 4) % world.payments.length];
    return payment !== undefined && act(world, payment, argument >> 2);
  },
});

/** Time passes. */
export const wait: Move = {
  weight: 12,
  bringsWork: true,
  make(world, argument) {
    const seconds = PAUSES[argument % PAUSES.length] ?? 1;
    world.now += seconds;
    world.tell?.(`${seconds} s pass`);
    return true;
  },
};

/** A buyer clicks to buy. */
export const buy: Move = {
  weight: 8,
  bringsWork: true,
  make(world, argument) {
    const buyer = argument % BUYERS;
    if (!claim(world, buyer)) return false;
    world.tell?.(`buyer ${buyer} clicks to buy`);
    return true;
  },
};

/** A buyer clicks to pay. */
export const click: Move = {
  weight: 14,
  bringsWork: true,
  make(world, argument) {
    const buyer = argument % BUYERS;
    if (!clickToPay(world, buyer)) return false;
    world.tell?.(`buyer ${buyer} clicks to pay`);
    return true;
  },
};

/** A buyer pays at the provider, however late. */
export const pay = onPayment(16, (world, payment, more) => {
  if (payment.state !== 'open') return false;
  // The provider takes another amount than was asked for, by its mistake.
  const amountMinor = more === 7 ? PRICE_MINOR + 1 : PRICE_MINOR;
  world.tell?.(`the provider takes ${amountMinor} for payment ${payment.id}`);
  takeMoney(world, payment, amountMinor);
  return true;
});

/** A payment fails at the provider. */
export const fail = onPayment(3, (world, payment) => {
  if (payment.state !== 'open') return false;
  world.tell?.(`payment ${payment.id} fails at the provider`);
  failPayment(world, payment);
  return true;
});

/** A message of the provider gets lost. */
export const lose: Move = {
  weight: 3,
  make(world, argument) {
    const index = argument % world.messages.length;
    const message = world.messages[index];
    // Of the others the product hears only by events. Their providers repeat them for days, until somebody takes them.
    if (!message?.report || message.report.refundedMinor !== undefined) return false;
    world.messages.splice(index, 1);
    world.tell?.(`the event that ${message.words} is lost`);
    return true;
  },
};

/** Somebody returns money at the provider, without us. */
export const refundAtTheProvider = onPayment(8, (world, payment, more) => {
  const amountMinor = PARTS[more] ?? leftOf(payment);
  if (payment.state !== 'paid' || amountMinor <= 0) return false;
  if (amountMinor > leftOf(payment)) return false;
  world.tell?.(`somebody returns ${amountMinor} of payment ${payment.id} at the provider`);
  return returnMoney(world, payment, { amountMinor, key: `by-somebody-${newId(world)}` });
});

/** A buyer disputes a payment at the bank, or the bank decides. */
export const dispute = onPayment(7, (world, payment, more) => {
  // A dispute about a payment whose id we do not know yet counts as foreign (docs/payments.md).
  const isKnown = world.attempts.some(({ paymentId }) => paymentId === payment.id);
  if (payment.state !== 'paid' || !isKnown) return false;
  const current = payment.disputes.find(({ state }) => state === 'open' || state === 'inquiry');
  if (!current) {
    const amountMinor = more % 2 === 0 ? leftOf(payment) : Math.min(800, leftOf(payment));
    if (amountMinor <= 0) return false;
    world.tell?.(`the buyer disputes ${amountMinor} of payment ${payment.id} at the bank`);
    createDispute(world, payment, { state: more < 6 ? 'open' : 'inquiry', amountMinor });
    return true;
  }
  const state = NEXT_STATES[more % NEXT_STATES.length] as DisputeState;
  if (state === current.state || (current.state === 'inquiry' && current.amountMinor > leftOf(payment))) return false;
  world.tell?.(`the bank moves the dispute about payment ${payment.id} to ${state}`);
  moveDispute(world, payment, { dispute: current, state });
  return true;
});

/** The provider forgets the keys of refunds that count long since. No call takes that long. */
export const forget = onPayment(3, (world, payment) => {
  if (payment.refundKeys.length === 0 || world.workers.some(Boolean)) return false;
  payment.refundKeys = [];
  world.tell?.(`the provider forgets the keys of the refunds of payment ${payment.id}`);
  return true;
});

/** The provider begins or ceases to refuse something. */
export const mood: Move = {
  weight: 3,
  make(world, argument) {
    const which = argument % 2 === 0 ? 'refusesRefunds' : 'refusesPayments';
    world[which] = !world[which];
    const does = world[which] ? 'refuses' : 'accepts';
    world.tell?.(`from now on the provider ${does} ${argument % 2 === 0 ? 'refunds' : 'payments'}`);
    return true;
  },
};

/** The operator refunds an order, or a part of it. */
export const refundByShop: Move = {
  weight: 9,
  make(world, argument) {
    // An operator may repeat the command.
    const wanted = argument === REPEATED ? 'refunded' : 'paid';
    const paid = [...world.orders.values()].filter(({ status }) => status === wanted);
    const order = paid[(argument % 2) % paid.length];
    if (!order) return false;
    const amountMinor = PARTS[argument >> 2];
    const part =
      amountMinor === undefined ? { freesUnit: argument % 4 < 2 } : { amountMinor, seenMinor: order.refundedMinor };
    const words = `refund ${amountMinor ?? 'all'} of order ${order.id}`;
    return begin(world, OPERATOR, { words, task: refundOrder(world, order, part) });
  },
};

/** The operator moves the deadline of an order. */
export const extend: Move = {
  weight: 6,
  make(world, argument) {
    const order = [...world.orders.values()][argument % world.orders.size];
    if (!order || (order.status !== 'pending_payment' && order.status !== 'cancelled')) return false;
    order.payBy = Math.max(order.payBy, world.now) + 60;
    world.tell?.(`the operator extends the deadline of order ${order.id}`);
    return true;
  },
};

/** The operator has paid a buyer in another way. */
export const endByHand: Move = {
  weight: 2,
  make(world, argument) {
    const attempt = world.attempts[argument % world.attempts.length];
    // The operator looks at the provider first, and pays by hand only what is still there and not on its way.
    if (!attempt || attempt.refundAt === undefined || unansweredOf(world, attempt) || world.workers.some(Boolean))
      return false;
    const payment = world.payments.find(({ id }) => id === attempt.paymentId);
    if (!payment || leftOf(payment) < world.rules.owedMinor(attempt.money)) return false;
    world.tell?.(`the operator has paid ${world.rules.owedMinor(attempt.money)} by hand, and ends the refund`);
    endRefundByHand(world, attempt);
    return true;
  },
};

/** The operator closes the sale. */
export const close: Move = {
  weight: 1,
  make(world) {
    if (!world.isOpen || world.orders.size === 0) return false;
    world.isOpen = false;
    world.tell?.('the operator closes the sale');
    return true;
  },
};
