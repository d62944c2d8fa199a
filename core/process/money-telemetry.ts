import { counter } from './metrics.js';
import { logFact, report, warnRarely } from './reporting.js';

// Telemetry of payments, refunds and the shop's webhooks, as core/process/telemetry.ts has it of everything else.

const payments = counter('payment_reports_total', 'What providers told of payments, by what came of it', 'outcome');
const payClicks = counter('payments_rescued_total', 'Payments that no job had dealt with for a while after the click');
const lateMoney = counter(
  'late_money_total',
  'Payments that came after their order had ended, by what became of them',
  'became',
);
const refunds = counter('refunds_total', 'Refunds through a provider, by outcome', 'outcome');
for (const outcome of ['returned', 'to_wallet', 'failed']) refunds.inc({ outcome }, 0);
const shopCalls = counter('shop_events_total', 'Deliveries of events to the shop', 'outcome');

/** Outcomes of a payment report that need a person. */
const ALARMS = new Set(['mismatch', 'unknown_payment', 'refunded_elsewhere', 'disputed']);
/** Outcomes of a payment report that are rare and need nobody. */
const NOTES = new Set(['refunded_in_part', 'dispute_closed']);

/** Reports the outcome of a provider's message about a payment, which was sent unasked or as an answer. */
export const paymentReported = report((outcome: string, orderId: string | undefined) => {
  payments.inc({ outcome });
  if (ALARMS.has(outcome)) logFact('error', { outcome, orderId }, 'a payment needs a person');
  if (NOTES.has(outcome)) logFact('info', { outcome, orderId }, 'a payment has changed');
});

/**
 * Reports the decision about late money, which is a payment that arrived after its order had ended. The money buys a
 * unit again, or is refunded.
 */
export const lateMoneyDecided = report((became: 'regrabbed' | 'paid' | 'refunded', orderId: string) => {
  lateMoney.inc({ became });
  logFact('info', { orderId, became }, 'late money');
});

/** Reports money that a provider gave back to a buyer. */
export const refundMade = report((orderId: string) => {
  refunds.inc({ outcome: 'returned' });
  logFact('info', { orderId }, 'money went back');
});

/** Reports a refund that the payment provider refused. The money is in the buyer's wallet instead. */
export const refundRefused = report((orderId: string) => {
  refunds.inc({ outcome: 'to_wallet' });
  logFact('error', { orderId }, 'a provider refused a refund: the money is in the wallet of the buyer');
});

/** Reports an attempt of a refund that failed. The money is still owed, and the next attempt comes later. */
export const refundFailed = report((orderId: string, err: unknown) => {
  refunds.inc({ outcome: 'failed' });
  warnRarely('a refund failed', { orderId, err });
});

/** Reports a webhook call to the shop, and whether the shop accepted it. */
export const shopTold = report((took: boolean) => shopCalls.inc({ outcome: took ? 'delivered' : 'failed' }));

/** Reports payments that rescue took: their buyers clicked a while ago, and no job had dealt with them. */
export const paymentsRescued = report((saleId: string, count: number) => {
  if (count === 0) return;
  payClicks.inc(count);
  warnRarely('payments waited too long: is the queue pay-order paused, or slow?', { saleId, count });
});
