import { KEPT_MAX } from './model/orders.js';
import {
  askProviders,
  deliverReleases,
  expireOrders,
  finishLateMoney,
  payOrder,
  placeOrders,
  reconcile,
  sendRefunds,
  type Task,
  takeEvent,
} from './model/processes.js';
import { endRefundByHand } from './model/refunds.js';
import { BUYERS, violate, type World } from './model/world.js';
import { advance } from './move.js';

// At the end of a history everything comes to rest: every message arrives, every task is finished, and time passes.

/** Far more rounds than any history needs. */
const ROUNDS_MAX = 20;
/** After this many tries, a refund that a provider refuses is an operator's matter. */
const TRIES_SEEN = 3;
const DAY_AND_HOUR = 25 * 3_600;

const ACTORS = [placeOrders, expireOrders, askProviders, finishLateMoney, sendRefunds, deliverReleases, reconcile];

/**
 * Lets a world come to rest.
 *
 * @param check is called when all that can be done at a time was done, and again after all deadlines
 */
export function comeToRest(world: World, check: (world: World) => void): void {
  for (const slot of world.workers.keys()) while (world.workers[slot]) advance(world, slot);
  world.tell?.('everything comes to rest');
  workUntilIdle(world);
  check(world);
  // A unit that comes back goes to the next buyer on standby, who has the full time to pay.
  for (let buyers = 0; buyers <= BUYERS && hasOrderToPay(world); buyers += 1) {
    for (const { payBy } of world.orders.values()) world.now = Math.max(world.now, payBy + KEPT_MAX);
    workUntilIdle(world);
  }
  world.now += DAY_AND_HOUR;
  workUntilIdle(world);
  for (let tries = 0; tries <= TRIES_SEEN && hasRefundPlanned(world); tries += 1) {
    world.now += 600;
    workUntilIdle(world);
  }
  endStuckRefunds(world);
}

/** Does all that can be done now. */
function workUntilIdle(world: World): void {
  for (let round = 0; round < ROUNDS_MAX; round += 1) if (!doRound(world)) return;
  violate(world, `there is still work after ${ROUNDS_MAX} rounds`);
}

function doRound(world: World): boolean {
  let hasWorked = false;
  for (const message of world.messages.splice(0)) hasWorked = finish(takeEvent(world, message)) || hasWorked;
  const clicks = [...new Set([...world.payJobs.splice(0), ...world.clicks.keys()])];
  for (const orderId of clicks) hasWorked = finish(payOrder(world, orderId)) || hasWorked;
  for (const start of ACTORS) {
    if (start === placeOrders && world.outbox.size === 0) continue;
    hasWorked = finish(start(world)) || hasWorked;
  }
  return hasWorked || world.messages.length > 0;
}

function finish(task: Task): boolean {
  let hasWorked = false;
  while (!task.next().done) hasWorked = true;
  return hasWorked;
}

function hasOrderToPay({ orders }: World): boolean {
  for (const { status } of orders.values()) if (status === 'pending_payment') return true;
  return false;
}

function hasRefundPlanned({ attempts }: World): boolean {
  return attempts.some(({ refundAt, money }) => refundAt !== undefined && money.withheldMinor === 0);
}

/** Operators see refunds that were refused again and again, and pay the buyers in another way. */
function endStuckRefunds(world: World): void {
  for (const attempt of world.attempts) {
    if (attempt.refundAt !== undefined && attempt.refundTries >= TRIES_SEEN && attempt.money.withheldMinor === 0) {
      endRefundByHand(world, attempt);
    }
  }
}
