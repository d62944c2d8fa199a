import type { DisputeReport } from '#core/rules/dispute.js';
import type { PaymentReport, PaymentState } from '#core/rules/payment.js';
import type { Attempt, HeldClaim, Order } from './rows.js';
import type { Rules } from './rules.js';

// One sale, three buyers, a payment provider and a bank, as plain objects. Times are in s, amounts in minor units.

/** The price of a unit. */
export const PRICE_MINOR = 1_999;
/** The time to pay an order, in s. */
export const PAY_WITHIN = 30;
/** The number of buyers. */
export const BUYERS = 3;

/** A payment in the provider's own books. */
export interface ProviderPayment {
  id: number;
  orderId: number;
  number: number;
  amountMinor: number;
  state: PaymentState;
  refundedMinor: number;
  /** The sum that it returned because we asked. */
  sentMinor: number;
  refundKeys: string[];
  disputes: DisputeReport[];
}

/** A message of the provider on its way. */
export interface Message {
  eventId: number;
  report?: PaymentReport;
  dispute?: DisputeReport;
  words: string;
}

/** A process at work: each step of its task happens at once, and anything may happen between two. */
export interface Worker {
  words: string;
  task: Generator<void, void, void>;
  /** Puts the job back that the worker took, if it dies. */
  giveBack?: () => void;
}

/** Everything there is. */
export interface World {
  rules: Rules;
  now: number;
  lastId: number;
  units: number;
  lateMoney: 'regrab' | 'refund';
  isOpen: boolean;
  // Postgres
  orders: Map<number, Order>;
  attempts: Attempt[];
  knownEvents: Set<number>;
  withdrawn: number[];
  // Redis
  claims: (HeldClaim | undefined)[];
  stock: number[];
  standby: number[];
  outbox: Set<number>;
  clicks: Map<number, number>;
  // the queue
  payJobs: number[];
  // the provider
  payments: ProviderPayment[];
  messages: Message[];
  refusesPayments: boolean;
  refusedKeys: Set<string>;
  refusesRefunds: boolean;
  // processes: two workers, and the operator's
  workers: (Worker | undefined)[];
  violations: string[];
  /** Receives each step in words, while a history is played for a reader. */
  tell?: ((words: string) => void) | undefined;
}

/** Makes a world in which nothing has happened. */
export function createWorld(rules: Rules, { units, lateMoney }: Pick<World, 'units' | 'lateMoney'>): World {
  return {
    rules,
    now: 0,
    lastId: 0,
    units,
    lateMoney,
    isOpen: true,
    orders: new Map(),
    attempts: [],
    knownEvents: new Set(),
    withdrawn: [],
    claims: [undefined, undefined, undefined],
    stock: units === 1 ? [1] : [1, 2],
    standby: [],
    outbox: new Set(),
    clicks: new Map(),
    payJobs: [],
    payments: [],
    messages: [],
    refusesPayments: false,
    refusedKeys: new Set(),
    refusesRefunds: false,
    workers: [undefined, undefined, undefined],
    violations: [],
  };
}

/** Makes an id for a claim, a dispute or an event. */
export function newId(world: World): number {
  world.lastId += 1;
  return world.lastId;
}

/** Records that a promise was broken. */
export function violate(world: World, words: string): void {
  world.violations.push(words);
  world.tell?.(`BROKEN: ${words}`);
}

/** Finds the attempts to pay an order. */
export function attemptsOf(world: World, orderId: number): Attempt[] {
  return world.attempts.filter(one => one.orderId === orderId);
}

/** Finds the order of an attempt, which exists. */
export function orderOf(world: World, { orderId }: { orderId: number }): Order {
  return world.orders.get(orderId) as Order;
}
