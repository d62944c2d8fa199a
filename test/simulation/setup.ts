import { payOrder, placeOrders, refundOrder, sendRefunds, type Task, takeEvent } from './model/processes.js';
import { takeMoney } from './model/provider.js';
import { claim, clickToPay } from './model/redis.js';
import type { Rules } from './model/rules.js';
import { createWorld, PRICE_MINOR, type World } from './model/world.js';

const PART_MINOR = 500;

const STAGES = [
  'nothing has happened',
  'buyer 0 has an order to pay',
  'buyer 0 has a payment open at the provider, and buyer 1 has clicked to buy',
  'buyer 0 has paid, and buyer 1 has clicked to buy',
  'buyer 0 has paid, buyer 1 has clicked to buy, and the shop has refunded buyer 0: the money is due',
  'buyer 0 has paid, and the shop has given a part back: the provider made the refund, and the worker died before it knew',
];

/** The number of ways in which a history begins: six stages, one or two units, and both settings of late money. */
export const SETUPS = STAGES.length * 4;

/** Makes the world in which a history begins. */
export function prepare(rules: Rules, setup: number, tell?: (words: string) => void): World {
  const stage = setup % STAGES.length;
  const units = Math.floor(setup / STAGES.length) % 2 === 0 ? 1 : 2;
  const lateMoney = setup < STAGES.length * 2 ? 'regrab' : 'refund';
  const world = createWorld(rules, { units, lateMoney });
  if (stage >= 1) {
    claim(world, 0);
    run(placeOrders(world));
  }
  if (stage >= 2) {
    clickToPay(world, 0);
    for (const orderId of world.payJobs.splice(0)) run(payOrder(world, orderId));
    claim(world, 1);
  }
  const [payment] = world.payments;
  if (stage >= 3 && payment) {
    takeMoney(world, payment, PRICE_MINOR);
    for (const message of world.messages.splice(0)) run(takeEvent(world, message));
  }
  const [order] = world.orders.values();
  if (stage === 4 && order) run(refundOrder(world, order, { freesUnit: true }));
  if (stage === 5 && order) {
    run(refundOrder(world, order, { amountMinor: PART_MINOR, seenMinor: 0 }));
    const task = sendRefunds(world);
    while (world.messages.length === 0) task.next();
  }
  world.tell = tell;
  tell?.(`${units} unit${units === 1 ? '' : 's'}, late money: ${lateMoney}; ${STAGES[stage]}`);
  return world;
}

function run(task: Task): void {
  while (!task.next().done);
}
