import { randomUUID } from 'node:crypto';
import type { PaymentState } from '#core/rules/payment.js';

/** A payment at the fake provider. Money is in minor units. */
export interface FakePayment {
  id: string;
  orderId: string;
  attempt: number;
  status: PaymentState;
  amountMinor: number;
  currency: string;
  payUrl: string;
  /** How often the provider took the money and returned it: at most once each, however often it is asked. */
  taken: number;
  returned: number;
  /** The idempotency key of the refund. The same key again gets the same answer, and another key is refused. */
  refundKey?: string;
}

/** The types of events that the provider sends, in Stripe's words. */
export type FakeEventType =
  | 'payment_intent.created'
  | 'payment_intent.succeeded'
  | 'payment_intent.canceled'
  | 'charge.refunded';

/** The amount and currency of a payment. */
export type Money = Pick<FakePayment, 'amountMinor' | 'currency'>;

/** The provider's payments, in memory. */
export class Books {
  readonly #baseUrl: string;
  readonly #onChange: (type: FakeEventType, payment: FakePayment) => void;
  readonly #payments = new Map<string, FakePayment>();

  /**
   * Opens empty books.
   *
   * @param baseUrl the origin of the payment pages
   * @param onChange is called after each change of a payment
   */
  constructor(baseUrl: string, onChange: (type: FakeEventType, payment: FakePayment) => void) {
    this.#baseUrl = baseUrl;
    this.#onChange = onChange;
  }

  /** Creates a payment for an attempt to pay an order, or returns the payment that this attempt has already. */
  create(attempt: Pick<FakePayment, 'orderId' | 'attempt'> & Money): FakePayment {
    const known = this.ofOrder(attempt.orderId, attempt.attempt);
    if (known) return known;
    const id = `pi_${randomUUID().replaceAll('-', '')}`;
    const payUrl = `${this.#baseUrl}/pay/${id}`;
    const payment: FakePayment = { id, ...attempt, status: 'open', payUrl, taken: 0, returned: 0 };
    this.#payments.set(id, payment);
    this.#onChange('payment_intent.created', payment);
    return payment;
  }

  /** Finds a payment by its id. */
  find(id: string): FakePayment | undefined {
    return this.#payments.get(id);
  }

  /** Finds the payment of an attempt; of the latest attempt, if none is given. */
  ofOrder(orderId: string, attempt?: number): FakePayment | undefined {
    return this.all().findLast(one => one.orderId === orderId && (attempt ?? one.attempt) === one.attempt);
  }

  /** Returns all payments, in the order of their creation. */
  all(): FakePayment[] {
    return [...this.#payments.values()];
  }

  /**
   * Takes the money of an open payment, also long after its order has ended.
   *
   * @param change makes the provider take other money than was asked for
   */
  pay(payment: FakePayment, change: Partial<Money> = {}): void {
    if (payment.status !== 'open') return;
    Object.assign(payment, change, { status: 'paid', taken: payment.taken + 1 });
    this.#onChange('payment_intent.succeeded', payment);
  }

  /** Lets an open payment fail. */
  cancel(payment: FakePayment): void {
    if (payment.status !== 'open') return;
    payment.status = 'failed';
    this.#onChange('payment_intent.canceled', payment);
  }

  /** Returns the money of a paid payment. */
  refund(payment: FakePayment, refundKey: string): void {
    if (payment.status !== 'paid') return;
    Object.assign(payment, { status: 'refunded', refundKey, returned: payment.returned + 1 });
    this.#onChange('charge.refunded', payment);
  }
}
