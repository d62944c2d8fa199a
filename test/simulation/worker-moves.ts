import { cancelOrder, payOrder, takeEvent } from './model/processes.js';
import { BUYERS } from './model/world.js';
import { advance, begin, type Move, nameOf, WORKERS } from './move.js';
import { checkOrderOfMessages } from './promises.js';

// The moves of our own processes, and what befalls them.

/** A process makes its next effect. */
export const step: Move = {
  weight: 60,
  make(world, argument) {
    const slot = argument % 3;
    const worker = world.workers[slot];
    if (!worker) return false;
    world.tell?.(`${nameOf(slot)} goes on to ${worker.words}`);
    advance(world, slot);
    return true;
  },
};

/** A process dies. Its job comes back. */
export const die: Move = {
  weight: 4,
  make(world, argument) {
    const slot = argument % 3;
    const worker = world.workers[slot];
    if (!worker) return false;
    world.workers[slot] = undefined;
    worker.giveBack?.();
    world.tell?.(`${nameOf(slot)} dies`);
    return true;
  },
};

/** A worker takes a job to pay an order. */
export const payJob: Move = {
  weight: 14,
  bringsWork: true,
  make(world, argument) {
    const orderId = world.payJobs[0];
    if (orderId === undefined) return false;
    const giveBack = () => void world.payJobs.push(orderId);
    const task = payOrder(world, orderId);
    if (!begin(world, argument % WORKERS, { words: `pay order ${orderId}`, task, giveBack })) return false;
    world.payJobs.splice(world.payJobs.indexOf(orderId), 1);
    return true;
  },
};

/** A worker finds a click to pay that nobody has dealt with. */
export const rescueClick: Move = {
  weight: 2,
  make(world, argument) {
    const [orderId] = world.clicks.keys();
    if (orderId === undefined) return false;
    const task = payOrder(world, orderId);
    return begin(world, argument % WORKERS, { words: `rescue the click for order ${orderId}`, task });
  },
};

/** A worker takes a message of the provider. It may be any of them, and may come again. */
export const deliver: Move = {
  weight: 24,
  bringsWork: true,
  make(world, argument) {
    const index = (argument >> 2) % world.messages.length;
    const message = world.messages[index];
    if (!message || world.workers[argument % WORKERS]) return false;
    checkOrderOfMessages(world, message);
    const isRepeated = (argument & 2) !== 0;
    if (!isRepeated) world.messages.splice(index, 1);
    const giveBack = () => void (isRepeated || world.messages.push(message));
    const words = `take the event that ${message.words}${isRepeated ? ', which will come again' : ''}`;
    return begin(world, argument % WORKERS, { words, task: takeEvent(world, message), giveBack });
  },
};

/** A buyer cancels an order. */
export const cancel: Move = {
  weight: 4,
  make(world, argument) {
    const buyer = (argument >> 1) % BUYERS;
    const held = world.claims[buyer];
    if (!held || held.status === 'ended' || held.status === 'paid') return false;
    const task = cancelOrder(world, { claimId: held.claimId, buyer, unit: held.unit });
    return begin(world, argument % WORKERS, { words: `cancel order ${held.claimId} for buyer ${buyer}`, task });
  },
};

/** The queue loses its jobs. */
export const loseJobs: Move = {
  weight: 1,
  make(world) {
    if (world.payJobs.length === 0) return false;
    world.payJobs = [];
    world.tell?.('the queue loses its jobs');
    return true;
  },
};
