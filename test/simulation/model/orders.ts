import { isLiveOrder, type OrderReason, type OrderStatus } from '#core/rules/order.js';
import type { Attempt, Order } from './rows.js';
import { PAY_WITHIN, PRICE_MINOR, violate, type World } from './world.js';

/** The longest time that an order is kept beyond its deadline for a click in time, in s. */
export const KEPT_MAX = 60;

// The statements about orders. Each function is one statement or one transaction, so nothing happens in the middle of it.

/** A claim that becomes an order. */
export interface WonClaim {
  claimId: number;
  buyer: number;
  unit: number;
}

const FORWARD: Partial<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending_payment: ['paid', 'cancelled', 'rejected'],
  paid: ['refunded'],
};

/** insertUnpaidOrders: places a claim, unless its unit is taken or withdrawn, or its buyer has another live order. */
export function insertOrder(world: World, claim: WonClaim): 'placed' | 'known' | 'conflicting' {
  if (world.orders.has(claim.claimId)) return 'known';
  if (world.withdrawn.includes(claim.unit)) return 'conflicting';
  for (const { status, unit, buyer } of world.orders.values()) {
    if (isLiveOrder(status) && (unit === claim.unit || buyer === claim.buyer)) return 'conflicting';
  }
  insertRow(world, claim, 'pending_payment');
  return 'placed';
}

function insertRow(world: World, { claimId: id, buyer, unit }: WonClaim, status: OrderStatus): Order {
  const sums = { refundedMinor: 0, capturedMinor: 0, givenMinor: 0, disputedMinor: 0 };
  const order: Order = { id, buyer, unit, status, reason: null, payBy: world.now + PAY_WITHIN, ...sums };
  world.orders.set(id, order);
  return order;
}

/** insertTombstones and insertEnded: a claim without a row gets one, so that it never becomes an order. */
export function insertEnded(world: World, claim: WonClaim, status: 'void' | 'cancelled'): number[] {
  if (world.orders.has(claim.claimId)) return [];
  const order = insertRow(world, claim, status);
  order.reason = status === 'void' ? 'lost' : 'cancelled_by_buyer';
  order.release = { isDelivered: false, freesUnit: true };
  return [order.id];
}

/** The trigger `orders_only_forward`: changes the status of an order. */
export function moveOrder(world: World, order: Order, status: OrderStatus): void {
  if (!FORWARD[order.status]?.includes(status)) {
    violate(world, `order ${order.id} was ${order.status}, and became ${status}`);
  }
  order.status = status;
}

/** endOrders: ends an order, and writes the release of its unit with it. */
export function endOrder(
  world: World,
  order: Order,
  { status, reason, freesUnit }: { status: 'cancelled' | 'refunded'; reason: OrderReason; freesUnit: boolean },
): number[] {
  moveOrder(world, order, status);
  order.reason = reason;
  order.release = { isDelivered: false, freesUnit };
  if (!freesUnit) world.withdrawn.push(order.unit);
  world.tell?.(`  order ${order.id} is ${status} (${reason})`);
  return [order.id];
}

/** readOverdue: the orders whose time to pay is over. */
export function readOverdue({ rules, orders, attempts, now }: World, claimIds?: readonly number[]): Overdue[] {
  const overdue: Overdue[] = [];
  for (const order of orders.values()) {
    if ((claimIds?.includes(order.id) ?? true) && rules.isOverdue(order, attempts, now)) {
      overdue.push({ order, payBy: order.payBy });
    }
  }
  return overdue;
}

/** Tells whether an attempt is open and has time left. */
function isAwaited(attempt: Attempt, order: Order, now: number): boolean {
  const { status } = attempt.money;
  return (status === 'requested' || status === 'open') && now < trueDeadline(order, attempt);
}

/** The deadline as buyers understand it: who clicked in time loses nothing, as the order waits for as long as they do. */
export function trueDeadline({ payBy }: Order, { waited }: Attempt): number {
  return payBy + waited;
}

/** An overdue order as expiry has read it. */
export interface Overdue {
  order: Order;
  payBy: number;
}

/** expireRows: cancels those orders whose time to pay is over, and whose deadline is still the one that was read. */
export function expireRows(world: World, due: readonly Overdue[]): number[] {
  return due.flatMap(({ order, payBy }) => {
    if (!world.rules.isDeadlineRead(order, payBy) || !world.rules.isOverdue(order, world.attempts, world.now))
      return [];
    if (order.unansweredClickAt !== undefined && world.now < order.payBy + KEPT_MAX) {
      violate(
        world,
        `buyer ${order.buyer} asked to pay order ${order.id} in time, and it expired before that was done`,
      );
    }
    if (world.attempts.some(one => one.orderId === order.id && isAwaited(one, order, world.now))) {
      violate(world, `order ${order.id} expired while the buyer had time to pay it at the provider`);
    }
    return endOrder(world, order, { status: 'cancelled', reason: 'unpaid', freesUnit: true });
  });
}

/** cancelRow: cancels an order for its buyer; a claim without an order gets a cancelled one. */
export function cancelRow(world: World, claim: WonClaim): number[] {
  const order = world.orders.get(claim.claimId);
  if (!order) return insertEnded(world, claim, 'cancelled');
  if (order.status !== 'pending_payment') return [];
  return endOrder(world, order, { status: 'cancelled', reason: 'cancelled_by_buyer', freesUnit: true });
}

/** The movements between the shop's account and the one that stands for the provider. */
export type TransferKind = 'capture' | 'refund' | 'dispute' | 'dispute_reversal';

/** bookWithOutside: books a movement. The trigger `transfers_within_capture` limits refunds. */
export function book(
  world: World,
  order: Order,
  { kind, amountMinor }: { kind: TransferKind; amountMinor: number },
): void {
  if (kind === 'capture') {
    if (order.capturedMinor > 0) violate(world, `order ${order.id} has two captures`);
    order.capturedMinor += amountMinor;
  } else if (kind === 'refund') {
    order.givenMinor += amountMinor;
    if (order.givenMinor > order.capturedMinor) violate(world, `order ${order.id} gives back more than it took`);
  } else {
    order.disputedMinor += kind === 'dispute' ? amountMinor : -amountMinor;
  }
  world.tell?.(`  booked for order ${order.id}: ${kind} ${amountMinor}`);
}

/** payRow: pays an order, if it can be paid. */
export function payRow(world: World, order: Order, payUntil: number): boolean {
  if (order.status !== 'pending_payment' || payUntil <= world.now) return false;
  moveOrder(world, order, 'paid');
  book(world, order, { kind: 'capture', amountMinor: PRICE_MINOR });
  world.tell?.(`  order ${order.id} is paid`);
  return true;
}
