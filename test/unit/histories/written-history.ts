import type { OrderFacts, SaleFacts } from '../../chaos/history/claim-view.js';
import type { Evidence } from '../../chaos/history/evidence.js';
import {
  type BankRead,
  type HistoryLine,
  operationsOf,
  outcomeOf,
  type Reply,
  type Request,
} from '../../chaos/history/history.js';
import type { PaymentFacts } from '../../chaos/history/payment-facts.js';

const SALE: SaleFacts = {
  id: 'drop',
  units: 2,
  opensAtMs: 0,
  closesAtMs: 1_000_000,
  standby: false,
  settlement: 'deferred',
  provider: 'wallet',
};

/** The reply to a click that wins. */
export const WON = { http: 202, status: 'queued' };
/** The reply to a click that gets nothing. */
export const SOLD_OUT = { http: 409, code: 'sold_out' };
/** The reply to an accepted payment, cancellation or credit. */
export const DONE = { http: 202 };
/** A reply that leaves open whether the call took effect. */
export const UNKNOWN = { http: 503, code: 'unavailable' };

/** A call of a buyer at a time, in ms. Every call takes 10 ms. */
type Step = [atMs: number, call: Request['call'], buyerId: string, reply: Reply, more?: Pick<Request, 'group'>];

/** Returns the claim that a reply names. Claim `a` has unit 1, `b` unit 2, and so on. */
export const claim = (name: string, unit = name.charCodeAt(0) - 96) => ({ claimId: name, unit });

/** Calls with an amount. */
const MONEY = new Set<Request['call']>(['credit', 'pay-elsewhere', 'refund']);

function linesOf(steps: readonly Step[], saleId: string): HistoryLine[] {
  return steps.flatMap(([atMs, call, buyerId, reply, more], i): HistoryLine[] => [
    { type: 'invoke', op: i, atMs, call, saleId, buyerId, ...more, ...(MONEY.has(call) ? { amountMinor: 100 } : {}) },
    { type: outcomeOf(reply.http), op: i, atMs: atMs + 10, ...reply },
  ]);
}

/** Returns an order that is paid, unless the facts say otherwise. */
export function order(claimId: string, buyerId: string, facts: Partial<OrderFacts> = {}): OrderFacts {
  const { unit } = claim(claimId);
  return {
    claimId,
    saleId: SALE.id,
    buyerId,
    unit,
    status: 'paid',
    reason: null,
    placedAtMs: 120,
    payByMs: 5_000,
    endedAtMs: null,
    regrabbed: false,
    ...facts,
  };
}

/** Returns the facts of an order that ended, in ms, by default cancelled by its buyer. */
export const ended = (endedAtMs: number, reason = 'cancelled_by_buyer', status = 'cancelled'): Partial<OrderFacts> => ({
  status,
  reason,
  endedAtMs,
});

/** Returns a read of all accounts. By default one buyer got 100, and paid 40 to the shop. */
export const bankRead = (facts: Partial<BankRead>): BankRead => ({
  type: 'bank',
  atMs: 900,
  readAtMs: 901,
  buyersMinor: 60,
  shopMinor: 40,
  creditedMinor: 100,
  providerMinor: 0,
  lowestMinor: 0,
  ...facts,
});

/** Returns a payment that the provider took and the books have. */
export const payment = (facts: Partial<PaymentFacts>): PaymentFacts => ({
  paymentId: 'p',
  orderId: 'a',
  attempt: 1,
  takenMinor: 100,
  returnedMinor: 0,
  status: 'paid',
  capturedMinor: 100,
  refundedMinor: 0,
  walletMinor: 0,
  withheldMinor: 0,
  disputedMinor: 0,
  surplus: false,
  ...facts,
});

/** The facts of a run that a rule looks at. Missing facts have defaults. */
export interface WrittenHistory {
  steps?: Step[];
  orders?: OrderFacts[];
  bank?: BankRead[];
  payments?: PaymentFacts[];
  sale?: Partial<SaleFacts>;
  redisLostData?: boolean;
  redisLosses?: Evidence['redisLosses'];
}

/** Completes a written history to the evidence that the rules check. */
export function evidenceOf(history: WrittenHistory): Evidence {
  const { steps = [], orders = [], bank = [], payments = [], sale = {}, redisLostData = false, redisLosses } = history;
  return {
    sales: [{ ...SALE, ...sale }],
    operations: operationsOf(linesOf(steps, SALE.id)),
    orders,
    bank,
    payments,
    redisLostData,
    ...(redisLosses ? { redisLosses } : {}),
    releaseWithinMs: 15_000,
  };
}

/** Ann wins unit 1 and pays. */
export const BOUGHT: Step[] = [
  [100, 'buy', 'ann', { ...WON, ...claim('a') }],
  [200, 'order-status', 'ann', { http: 200, status: 'pending_payment', ...claim('a') }],
  [300, 'pay', 'ann', DONE],
  [400, 'order-status', 'ann', { http: 200, status: 'paid', ...claim('a') }],
];

/** Ann wins unit 1 and cancels. */
export const CANCELLED: Step[] = [
  [100, 'buy', 'ann', { ...WON, ...claim('a') }],
  [200, 'cancel', 'ann', DONE],
  [300, 'order-status', 'ann', { http: 200, status: 'cancelled', reason: 'cancelled_by_buyer', ...claim('a') }],
];

/** Ann wins unit 1 and pays at a provider. */
export const ELSEWHERE: WrittenHistory = {
  sale: { provider: 'signed-webhook' },
  steps: [...BOUGHT.slice(0, 3), [350, 'pay-elsewhere', 'ann', { http: 200 }], ...BOUGHT.slice(3)],
};

/** Ann's paid order of unit 1. */
export const ANNS_ORDER = order('a', 'ann');
