import type { PaymentFacts } from './books.js';
import type { OrderFacts, SaleFacts } from './claim-view.js';
import type { BankRead, Operation } from './history.js';

/** Every rule that a history can break. */
export const RULES = [
  'claim_is_one_thing',
  'accepted_reaches_its_end',
  'statuses_move_forward',
  'one_end',
  'paid_stays_paid',
  'one_claim_per_buyer',
  'one_claim_per_unit',
  'unit_exists',
  'bounded_counter',
  'no_false_sold_out',
  'no_order_without_a_buyer',
  'refused_leaves_no_trace',
  'no_untrue_refusal',
  'no_surprise',
  'inside_the_window',
  'nothing_lost',
  'ended_by_its_buyer',
  'no_early_expiry',
  'paid_by_its_buyer',
  'bank',
  'bank_is_what_was_put_in',
  'books_agree',
  'refunded_by_the_shop',
] as const;

export type Rule = (typeof RULES)[number];

export interface Violation {
  rule: Rule;
  text: string;
}

/** A history and what it ended in. */
export interface Evidence {
  sales: readonly SaleFacts[];
  operations: readonly Operation[];
  /** The rows of `orders` when everything had come to rest. */
  orders: readonly OrderFacts[];
  bank: readonly BankRead[];
  /** Every payment at the provider when everything had come to rest. */
  payments: readonly PaymentFacts[];
  /** Whether Redis lost data that it had confirmed: then a claim may end as `rejected(lost)`, though never silently. */
  redisLostData: boolean;
  /** How long after an order's end its unit may be neither free nor claimed, in ms (invariant 8 says 15 s). */
  releaseWithinMs: number;
}

/** Postgres keeps ms and rounds, a client's clock cuts off: two times of one instant differ by this much at most, in ms. */
export const CLOCK_TOLERANCE_MS = 2;
