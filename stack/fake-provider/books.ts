import { randomUUID } from 'node:crypto';
import type { PaymentState } from '#core/rules/payment.js';

/** A payment at the fake provider. Money in minor units. */
export interface FakePayment {
  id: string;
  orderId: string;
  attempt: number;
  status: PaymentState;
  amountMinor: number;
  currency: string;
  payUrl: string;
  /** How often money was taken and given back: never more than once each, whatever is asked. */
  taken: number;
  returned: number;
  /** The call that gave it back; the same one again is answered alike, another one is refused. */
  refundKey?: string;
}

export type FakeEventType =
  | 'payment_intent.created'
  | 'payment_intent.succeeded'
  | 'payment_intent.canceled'
  | 'charge.refunded';

/** What the provider has, in memory. */
export interface Books {
  /** The same payment again for an attempt that has one. */
  create(order: Pick<FakePayment, 'orderId' | 'attempt' | 'amountMinor' | 'currency'>): FakePayment;
  find(id: string): FakePayment | undefined;
  /** The latest attempt, if none is named. */
  ofOrder(orderId: string, attempt?: number): FakePayment | undefined;
  all(): FakePayment[];
  /** Takes the money, also long after the order has ended; with `change`, other money than was asked for. */
  pay(payment: FakePayment, change?: Partial<Pick<FakePayment, 'amountMinor' | 'currency'>>): void;
  cancel(payment: FakePayment): void;
  refund(payment: FakePayment, refundKey: string): void;
}

/**
 * @param baseUrl where its pay pages are
 * @param tell told of everything that happens
 * @returns empty books
 */
export function createBooks(baseUrl: string, tell: (type: FakeEventType, payment: FakePayment) => void): Books {
  const payments = new Map<string, FakePayment>();
  const ofOrder = (orderId: string, attempt?: number) =>
    [...payments.values()].findLast(one => one.orderId === orderId && (attempt ?? one.attempt) === one.attempt);
  return {
    create(order) {
      const known = ofOrder(order.orderId, order.attempt);
      if (known) return known;
      const id = `pi_${randomUUID().replaceAll('-', '')}`;
      const made: FakePayment = { id, ...order, status: 'open', payUrl: `${baseUrl}/pay/${id}`, taken: 0, returned: 0 };
      payments.set(id, made);
      tell('payment_intent.created', made);
      return made;
    },
    find: id => payments.get(id),
    ofOrder,
    all: () => [...payments.values()],
    pay(payment, change = {}) {
      if (payment.status !== 'open') return;
      Object.assign(payment, change, { status: 'paid', taken: payment.taken + 1 });
      tell('payment_intent.succeeded', payment);
    },
    cancel(payment) {
      if (payment.status !== 'open') return;
      payment.status = 'failed';
      tell('payment_intent.canceled', payment);
    },
    refund(payment, refundKey) {
      if (payment.status !== 'paid') return;
      Object.assign(payment, { status: 'refunded', refundKey, returned: payment.returned + 1 });
      tell('charge.refunded', payment);
    },
  };
}
