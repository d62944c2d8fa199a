import type { PaymentFacts } from '../../chaos/history/payment-facts.js';
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

const SALE: SaleFacts = {
  id: 'drop',
  units: 2,
  opensAtMs: 0,
  closesAtMs: 1_000_000,
  standby: false,
  settlement: 'deferred',
  provider: 'wallet',
};

export const WON = { http: 202, status: 'queued' };
export const SOLD_OUT = { http: 409, code: 'sold_out' };
export const DONE = { http: 202 };
export const UNKNOWN = { http: 503, code: 'unavailable' };

/** A call of ann's, or of another buyer's, at a time, in ms; it takes 10 ms. */
type Step = [atMs: number, call: Request['call'], buyerId: string, reply: Reply];

/** A claim that a reply names: `a` is of unit 1 and so on. */
export const claim = (name: string, unit = name.charCodeAt(0) - 96) => ({ claimId: name, unit });

/** Calls about an amount. */
const MONEY = new Set<Request['call']>(['credit', 'pay-elsewhere', 'refund']);

function linesOf(steps: readonly Step[], saleId: string): HistoryLine[] {
  return steps.flatMap(([atMs, call, buyerId, reply], i): HistoryLine[] => [
    { type: 'invoke', op: i, atMs, call, saleId, buyerId, ...(MONEY.has(call) ? { amountMinor: 100 } : {}) },
    { type: outcomeOf(reply.http), op: i, atMs: atMs + 10, ...reply },
  ]);
}

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

export const ended = (endedAtMs: number, reason = 'cancelled_by_buyer', status = 'cancelled'): Partial<OrderFacts> => ({
  status,
  reason,
  endedAtMs,
});

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

/** Paid at the provider, and booked; the order's name is the payment's. */
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
  surplus: false,
  ...facts,
});

/** What a run wrote down, shortened to what matters. */
export interface WrittenHistory {
  steps?: Step[];
  orders?: OrderFacts[];
  bank?: BankRead[];
  payments?: PaymentFacts[];
  sale?: Partial<SaleFacts>;
  redisLostData?: boolean;
}

export function evidenceOf(history: WrittenHistory): Evidence {
  const { steps = [], orders = [], bank = [], payments = [], sale = {}, redisLostData = false } = history;
  return {
    sales: [{ ...SALE, ...sale }],
    operations: operationsOf(linesOf(steps, SALE.id)),
    orders,
    bank,
    payments,
    redisLostData,
    releaseWithinMs: 15_000,
  };
}

export const BOUGHT: Step[] = [
  [100, 'buy', 'ann', { ...WON, ...claim('a') }],
  [200, 'order-status', 'ann', { http: 200, status: 'pending_payment', ...claim('a') }],
  [300, 'pay', 'ann', DONE],
  [400, 'order-status', 'ann', { http: 200, status: 'paid', ...claim('a') }],
];
export const CANCELLED: Step[] = [
  [100, 'buy', 'ann', { ...WON, ...claim('a') }],
  [200, 'cancel', 'ann', DONE],
  [300, 'order-status', 'ann', { http: 200, status: 'cancelled', reason: 'cancelled_by_buyer', ...claim('a') }],
];

/** Bought in a sale that is paid at a provider. */
export const ELSEWHERE: WrittenHistory = {
  sale: { provider: 'signed-webhook' },
  steps: [...BOUGHT.slice(0, 3), [350, 'pay-elsewhere', 'ann', { http: 200 }], ...BOUGHT.slice(3)],
};
export const ann = order('a', 'ann');
