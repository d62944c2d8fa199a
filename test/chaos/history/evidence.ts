import type { OrderFacts, SaleFacts } from './claim-view.js';
import type { DrawFacts, DrawRead } from './draw-facts.js';
import type { BankRead, Operation } from './history.js';
import type { PaymentFacts } from './payment-facts.js';

/** The rules of draws. */
export const DRAW_RULES = ['entry_is_kept', 'one_order', 'lots_decide', 'late_stand_behind'] as const;

/** The rules about holding without paying, and about passes. */
export const HOLDING_RULES = ['no_third_try', 'no_unearned_limit', 'pass_is_needed', 'group_is_bounded'] as const;

/** The rules that a history can break. */
export const RULES = [
  ...DRAW_RULES,
  ...HOLDING_RULES,
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

/** The name of a rule. */
export type Rule = (typeof RULES)[number];

/** One breach of a rule, in words. */
export interface Violation {
  rule: Rule;
  text: string;
}

/** A time in which Redis may have lost confirmed data, in ms since the epoch. */
export interface RedisLoss {
  fromMs: number;
  toMs: number;
}

/** A history, and the state of both books when everything is at rest. */
export interface Evidence {
  sales: readonly SaleFacts[];
  operations: readonly Operation[];
  /** The rows of `orders`. */
  orders: readonly OrderFacts[];
  bank: readonly BankRead[];
  /** Every payment at the provider. */
  payments: readonly PaymentFacts[];
  /** The draws at rest, and the reads of draws during the run; none if not given. */
  draws?: readonly DrawFacts[];
  drawReads?: readonly DrawRead[];
  /** Whether Redis lost confirmed data. Then a claim may end as `rejected(lost)`, but its buyer must get that answer. */
  redisLostData: boolean;
  /** When it may have lost some; at any time if not given. */
  redisLosses?: readonly RedisLoss[];
  /** For this long after an order's end its unit may be neither free nor claimed, in ms. Invariant 8 says 15 s. */
  releaseWithinMs: number;
}

/** The largest difference between two times of one instant, in ms: Postgres rounds to ms, and a client's clock cuts off. */
export const CLOCK_TOLERANCE_MS = 2;
