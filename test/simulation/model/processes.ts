import { isLiveOrder } from '#core/rules/order.js';
import type { PaymentReport } from '#core/rules/payment.js';
import { cancelRow, expireRows, insertEnded, insertOrder, readOverdue, type WonClaim } from './orders.js';
import {
  applyEvent,
  applyReport,
  isPayable,
  markOpen,
  markRefused,
  payAfterAll,
  payWithLateMoney,
  refundLateMoney,
  requestPayment,
} from './payments.js';
import { askProvider, createAtProvider, refundAtProvider } from './provider.js';
import { dropClick, recordStatus, regrab, release } from './redis.js';
import { beginRefund, maySend, recordRefused, recordReturned, refundPart, refundWhole } from './refunds.js';
import type { Attempt, Order } from './rows.js';
import { type Message, orderOf, type World } from './world.js';

// The tasks of workers and of the operator's process, as core/steps and core/maintenance do it. At a `yield`, a worker can be held
// up or die: there the product has one effect behind it, in a store or at the provider, and the next before it.

/** One process at work. */
export type Task = Generator<void, void, void>;

/** releaseUnits: carries out releases in Redis, also once more, and marks them in Postgres. */
function* releaseUnits(world: World, claimIds: readonly number[]): Task {
  if (claimIds.length === 0) return;
  yield;
  for (const claimId of claimIds) release(world, claimId);
  yield;
  for (const claimId of claimIds) markDelivered(world, claimId);
}

function markDelivered({ orders }: World, claimId: number): void {
  const row = orders.get(claimId)?.release;
  if (row) row.isDelivered = true;
}

/** tellOrder: records the status of a live order in Redis. */
function* tellOrder(world: World, orderId: number): Task {
  const order = world.orders.get(orderId);
  if (!order || !isLiveOrder(order.status)) return;
  const read = { ...order };
  yield;
  recordStatus(world, read);
}

/** placeOrders, called by a job or by rescue: makes orders of the claims in the outbox. */
export function* placeOrders(world: World): Task {
  const claims = [...world.outbox].flatMap(buyer => {
    const held = world.claims[buyer];
    return held ? [{ claimId: held.claimId, buyer, unit: held.unit }] : [];
  });
  yield;
  const conflicting = claims.filter(one => insertOrder(world, one) === 'conflicting');
  const given = conflicting.flatMap(one => insertEnded(world, one, 'void'));
  yield* releaseUnits(world, given);
  yield;
  const ended: number[] = [];
  for (const { claimId } of claims) {
    const order = world.orders.get(claimId) as Order;
    if (isLiveOrder(order.status)) recordStatus(world, order);
    else ended.push(claimId);
  }
  yield* releaseUnits(world, ended);
}

/** payOrder: creates a payment at the provider. A click that came in time counts, however late this runs. */
export function* payOrder(world: World, orderId: number): Task {
  const clickedAt = world.clicks.get(orderId);
  yield;
  const attempt = requestPayment(world, orderId, clickedAt);
  if (attempt && isPayable(world, attempt)) yield* createPayment(world, attempt);
  yield* tellOrder(world, orderId);
  if (clickedAt === undefined) return;
  yield;
  dropClick(world, orderId, clickedAt);
}

function* createPayment(world: World, attempt: Attempt): Task {
  const { money, paymentId } = attempt;
  if (money.status !== 'requested' && (money.status !== 'open' || paymentId !== undefined)) return;
  yield;
  const created = createAtProvider(world, attempt);
  yield;
  if (created === 'refused') markRefused(world, attempt);
  else markOpen(world, attempt, created.id);
}

/** expireOrders: cancels overdue orders; those that their buyers asked to pay in time are paid first. */
export function* expireOrders(world: World, claimIds?: readonly number[]): Task {
  const overdue = readOverdue(world, claimIds);
  if (overdue.length === 0) return;
  yield;
  const clicks = overdue.map(({ order }) => world.rules.clickOf(world, order.id));
  for (const [i, { order }] of overdue.entries()) if (clicks[i] !== undefined) yield* payOrder(world, order.id);
  yield;
  yield* releaseUnits(world, expireRows(world, overdue));
}

/** cancelOrder: cancels a claim for its buyer. */
export function* cancelOrder(world: World, claim: WonClaim): Task {
  yield* releaseUnits(world, cancelRow(world, claim));
}

/** takePaymentEvent: applies an event of the provider, and follows it. */
export function* takeEvent(world: World, message: Message): Task {
  const { outcome, attempt } = applyEvent(world, message);
  if (attempt) yield* followReport(world, outcome, attempt);
}

function* followReport(world: World, outcome: string, attempt: Attempt): Task {
  if (outcome === 'late') yield* decideLateMoney(world, attempt);
  else if (outcome !== 'failed' && outcome !== 'mismatch') yield* tellOrder(world, attempt.orderId);
}

/** askProviders: asks about the payments without news. */
export function* askProviders(world: World): Task {
  const due = world.attempts.filter(({ askAt }) => askAt !== undefined && askAt <= world.now);
  for (const attempt of due) {
    if (attempt.askAt !== undefined) {
      attempt.asked += 1;
      attempt.askAt = world.rules.askAgain(orderOf(world, attempt), attempt, world.now);
    }
    const { status } = attempt.money;
    yield;
    const report = askProvider(world, attempt);
    yield;
    if (report) {
      const applied = applyReport(world, report, 'answer');
      if (applied.attempt) yield* followReport(world, applied.outcome, applied.attempt);
    } else if (status === 'requested' && isPayable(world, attempt)) yield* createPayment(world, attempt);
  }
}

/** The first half of finishPayments: decides about all late money. */
export function* finishLateMoney(world: World): Task {
  for (const attempt of world.attempts.filter(({ money }) => money.status === 'late')) {
    yield* decideLateMoney(world, attempt);
  }
}

function* decideLateMoney(world: World, attempt: Attempt): Task {
  const order = orderOf(world, attempt);
  yield* expireOrders(world, [order.id]);
  yield;
  if (order.status === 'pending_payment' && payAfterAll(world, attempt)) return yield* tellOrder(world, order.id);
  if (!world.rules.mayRegrab(order, attempt, world)) return void refundLateMoney(world, attempt);
  const { id: endedClaimId, buyer } = order;
  yield;
  const unit = regrab(world, { buyer, endedClaimId, claimId: attempt.regrabClaimId });
  if (unit === 'not_released') {
    return yield* releaseUnits(world, order.release ? [endedClaimId] : []);
  }
  yield;
  if (typeof unit !== 'number') return void refundLateMoney(world, attempt);
  const claim = { claimId: attempt.regrabClaimId, buyer, unit };
  insertOrder(world, claim);
  if (payWithLateMoney(world, attempt, world.orders.get(claim.claimId))) return yield* tellOrder(world, claim.claimId);
  yield* releaseUnits(world, insertEnded(world, claim, 'void'));
  yield* tellOrder(world, claim.claimId);
  yield;
  refundLateMoney(world, attempt);
}

/** The second half of finishPayments: sends the refunds that are due. */
export function* sendRefunds(world: World): Task {
  const due = world.attempts.filter(({ refundAt, money: { status } }) => {
    return refundAt !== undefined && refundAt <= world.now && (status === 'refund_due' || status === 'paid');
  });
  for (const attempt of due) {
    yield;
    const begun = beginRefund(world, attempt);
    if (!begun) continue;
    const { asksFirst, ...refund } = begun;
    yield;
    if (asksFirst) {
      const report = askProvider(world, attempt);
      yield;
      if (!isTaken(report) || !maySend(world, attempt, { refund, report })) continue;
      yield;
    }
    const isReturned = refundAtProvider(world, attempt, refund);
    yield;
    if (isReturned) recordReturned(world, attempt, refund);
    else {
      const report = askProvider(world, attempt);
      yield;
      if (isTaken(report)) recordRefused(world, attempt, { refund, report });
    }
  }
}

function isTaken(report: PaymentReport | undefined): report is PaymentReport {
  return report?.state === 'paid' || report?.state === 'refunded';
}

/** deliverEvents: carries out the releases that no process has finished. */
export function* deliverReleases(world: World): Task {
  const due = [...world.orders.values()].filter(({ release: row }) => row && !row.isDelivered);
  yield* releaseUnits(
    world,
    due.map(({ id }) => id),
  );
}

/** Reconcile, as far as money needs it: Redis records what Postgres says of live orders. */
export function* reconcile(world: World): Task {
  for (const { id, buyer, status } of [...world.orders.values()]) {
    const held = world.claims[buyer];
    if (isLiveOrder(status) && held?.claimId === id && held.status !== status) yield* tellOrder(world, id);
  }
}

/** refundOrder and refundOrderInPart: what an operator does in the console. */
export function* refundOrder(
  world: World,
  order: Order,
  part: { amountMinor: number; seenMinor: number } | { freesUnit: boolean },
): Task {
  if ('freesUnit' in part) yield* releaseUnits(world, refundWhole(world, order, part.freesUnit));
  else {
    refundPart(world, order, part);
    yield* tellOrder(world, order.id);
  }
}
