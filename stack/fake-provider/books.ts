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
  /** The total that was returned. */
  refundedMinor: number;
  /** The refunds that were asked for. */
  refunds: FakeRefund[];
  /** The money that disputes withhold at present. */
  disputedMinor: number;
  disputes: FakeDispute[];
}

/** A refund at the fake provider. The same key again gets the same answer, and is refused with another amount. */
export interface FakeRefund {
  key: string;
  /** The amount as it was asked for; undefined is all that is left. */
  amountMinor?: number | undefined;
  /** `pending`: accepted, and no money has gone back yet. */
  status: 'refunded' | 'pending';
}

/** A dispute about a payment at the fake provider, in Stripe's words. */
export interface FakeDispute {
  id: string;
  status: 'needs_response' | 'won' | 'lost';
  amountMinor: number;
}

/** The types of events that the provider sends, in Stripe's words. */
export type FakeEventType =
  | 'payment_intent.created'
  | 'payment_intent.succeeded'
  | 'payment_intent.canceled'
  | 'charge.refunded'
  | 'charge.dispute.created'
  | 'charge.dispute.closed';

/** A change of the books: the payment, and the dispute that is the reason. */
export type FakeChange = (type: FakeEventType, payment: FakePayment, dispute?: FakeDispute) => void;

/** The amount and currency of a payment. */
export type Money = Pick<FakePayment, 'amountMinor' | 'currency'>;

/** The provider's payments, in memory. */
export class Books {
  readonly #baseUrl: string;
  readonly #onChange: FakeChange;
  readonly #payments = new Map<string, FakePayment>();

  /**
   * Opens empty books.
   *
   * @param baseUrl the origin of the payment pages
   * @param onChange is called after each change of a payment
   */
  constructor(baseUrl: string, onChange: FakeChange) {
    this.#baseUrl = baseUrl;
    this.#onChange = onChange;
  }

  /** Creates a payment for an attempt to pay an order, or returns the payment that this attempt has already. */
  create(attempt: Pick<FakePayment, 'orderId' | 'attempt'> & Money): FakePayment {
    const known = this.ofOrder(attempt.orderId, attempt.attempt);
    if (known) return known;
    const id = `pi_${randomUUID().replaceAll('-', '')}`;
    const payUrl = `${this.#baseUrl}/pay/${id}`;
    const nothing = { taken: 0, returned: 0, refundedMinor: 0, refunds: [], disputedMinor: 0, disputes: [] };
    const payment: FakePayment = { id, ...attempt, status: 'open', payUrl, ...nothing };
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

  /**
   * Returns money of a payment: all that is left, or a part. A refund under a known key is made once.
   *
   * @param wanted the refund; with status `pending`, it is accepted and made later
   * @returns the refund, or undefined when it is refused: more than is left, money that a dispute withholds, or another
   * amount than before under this key
   */
  refund(payment: FakePayment, wanted: FakeRefund): FakeRefund | undefined {
    const known = payment.refunds.find(({ key }) => key === wanted.key);
    if (known && known.amountMinor !== wanted.amountMinor) return undefined;
    if (known?.status === 'refunded') return known;
    const { amountMinor = payment.amountMinor - payment.refundedMinor } = wanted;
    const restMinor = payment.amountMinor - payment.refundedMinor - payment.disputedMinor;
    if (payment.status !== 'paid' || amountMinor <= 0 || amountMinor > restMinor) return undefined;
    const refund = Object.assign(known ?? { ...wanted }, { status: wanted.status });
    if (!known) payment.refunds.push(refund);
    if (refund.status === 'refunded') this.#return(payment, amountMinor);
    return refund;
  }

  #return(payment: FakePayment, amountMinor: number): void {
    payment.refundedMinor += amountMinor;
    payment.returned += 1;
    if (payment.refundedMinor === payment.amountMinor) payment.status = 'refunded';
    this.#onChange('charge.refunded', payment);
  }

  /** Opens a dispute about what is left of a paid payment, or about a part: the buyer's bank withholds it. */
  dispute(payment: FakePayment, partMinor = Number.POSITIVE_INFINITY): void {
    const amountMinor = Math.min(partMinor, payment.amountMinor - payment.refundedMinor - payment.disputedMinor);
    if (payment.status !== 'paid' || amountMinor <= 0) return;
    const dispute: FakeDispute = {
      id: `dp_${randomUUID().replaceAll('-', '')}`,
      status: 'needs_response',
      amountMinor,
    };
    payment.disputes.push(dispute);
    payment.disputedMinor += amountMinor;
    this.#onChange('charge.dispute.created', payment, dispute);
  }

  /** Ends the open disputes about a payment. The bank gives the money back when they are won, and keeps it when lost. */
  closeDisputes(payment: FakePayment, status: 'won' | 'lost'): void {
    for (const dispute of payment.disputes.filter(one => one.status === 'needs_response')) {
      dispute.status = status;
      if (status === 'won') payment.disputedMinor -= dispute.amountMinor;
      this.#onChange('charge.dispute.closed', payment, dispute);
    }
  }
}
