import type { Database } from '../postgres/database.js';
import { payFromWallet } from '../postgres/money/pay.js';
import { readCapture } from '../postgres/money/wallet.js';
import type { OrderToPay } from '../rules/order.js';
import type { CreatedPayment, PaymentProvider } from './provider.js';

/** Dropline's wallet as a payment provider. It reads amount and deadline from the order itself. */
export interface Wallet extends PaymentProvider {
  create(order: OrderToPay): Promise<CreatedPayment>;
}

/**
 * Creates the payment provider for Dropline's own wallet. Its money moves in the statement that changes the order. So
 * the wallet sends no events, never keeps a buyer waiting, and needs no separate refund.
 */
export function createWallet(db: Database): Wallet {
  return {
    async create(order) {
      const outcome = await payFromWallet(db, order);
      if (outcome === 'paid') return { kind: 'settled' };
      return outcome === 'not_payable' ? { kind: outcome } : { kind: 'refused', reason: outcome };
    },
    mayBeGenuine: () => false,
    verify: () => ({ kind: 'forged' }),
    async ask({ orderId }) {
      const capture = await readCapture(db, orderId);
      if (!capture) return undefined;
      const isWhole = capture.refundedMinor === capture.amountMinor && capture.amountMinor > 0;
      return { paymentId: orderId, orderId, state: isWhole ? 'refunded' : 'paid', ...capture };
    },
    refund: async () => 'refunded',
  };
}
