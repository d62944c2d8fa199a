import {
  askProviders,
  deliverReleases,
  expireOrders,
  finishLateMoney,
  placeOrders,
  reconcile,
  sendRefunds,
} from './model/processes.js';
import { actor, type Move } from './move.js';
import * as outside from './outside-moves.js';
import * as ofWorkers from './worker-moves.js';

// The moves of a history. A history is a list of numbers, and each number is one move with its argument. A move that is
// impossible does nothing. So a history with some numbers left out is a history, too, which makes it easy to shorten.

/** The arguments of a move are below this number. */
export const ARGUMENTS = 32;

/** The moves. The position of a move is its number, so new ones come last. */
export const MOVES: readonly Move[] = [
  ofWorkers.step,
  outside.wait,
  outside.buy,
  actor(6, 'place orders', placeOrders),
  outside.click,
  ofWorkers.payJob,
  outside.pay,
  ofWorkers.deliver,
  actor(10, 'expire orders', expireOrders),
  actor(5, 'ask the provider', askProviders),
  actor(6, 'decide about late money', finishLateMoney),
  actor(14, 'send refunds', sendRefunds),
  actor(3, 'deliver releases', deliverReleases),
  actor(4, 'reconcile', reconcile),
  outside.refundByShop,
  outside.refundAtTheProvider,
  outside.dispute,
  outside.mood,
  ofWorkers.cancel,
  outside.extend,
  outside.fail,
  outside.lose,
  ofWorkers.die,
  ofWorkers.rescueClick,
  outside.endByHand,
  outside.close,
  ofWorkers.loseJobs,
  outside.forget,
];
