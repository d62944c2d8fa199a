import { formatSpan } from './clock.js';
import { formatPrice } from './sale.js';
import { texts } from './texts.js';

/**
 * The content of the dialog about the visitor's purchase.
 *
 * @typedef {{label: string, event?: 'pay' | 'giveUp' | 'restart' | 'close', disabled?: boolean}} Action
 * @typedef {object} Content
 * @property {'waiting' | 'yours' | 'done' | 'over'} mood
 * @property {string} heading
 * @property {string} message
 * @property {[string, string][]} facts
 * @property {Action[]} actions the buttons, the most likely one first; a button without an event only closes the dialog
 */

/** Ends of a purchase after which the sale has no more units to give. The dialog then has no button to try again. */
const FINAL_ENDS = ['sale_closed', 'unpaid_limit', 'closed', 'unknown_sale'];

/**
 * Ends of a purchase that `order.reason` explains. At other ends the reason is about an earlier order of the visitor.
 */
const REASONED_ENDS = ['cancelled', 'rejected', 'refunded'];

/**
 * Computes the content of the dialog about the visitor's purchase.
 *
 * @param {import('./purchase.js').Purchase} purchase
 * @param {number} nowMs the server's time
 * @param {{opensAtMs?: number, source?: string}} [sale] `source` is the public value that its draw waits for
 * @returns {Content | undefined} undefined while the dialog stays closed
 */
export function contentOf(purchase, nowMs, sale = {}) {
  return CONTENTS[purchase.step]?.(purchase, nowMs, sale);
}

const { facts: labels } = texts;

const CONTENTS = {
  resuming: ({ clicked }) => (clicked ? waiting(texts.resuming) : undefined),
  queued: ({ promoted }) => waiting(promoted ? texts.promoted : texts.queued),
  joined: (purchase, nowMs, sale) =>
    nowMs < (sale.opensAtMs ?? Number.POSITIVE_INFINITY) ? joined(purchase, nowMs, sale) : drawing(purchase, sale),
  drawing: (purchase, _, sale) => drawing(purchase, sale),
  standby: ({ order }) => ({
    ...waiting({ heading: texts.standby.heading(order.position), message: texts.standby.message }),
    facts: entryOf(order),
    actions: [leave],
  }),
  payable: payable,
  paying: ({ order }) => ({ ...waiting(texts.paying), facts: [...unitOf(order), ...amountOf(order, labels.amount)] }),
  cancelling: () => waiting(texts.cancelling),
  paid: ({ order }) => ({
    mood: 'done',
    ...texts.paid,
    facts: [
      ...unitOf(order),
      ...amountOf(order, labels.paid),
      ...(order.refundedMinor > 0 ? amountOf({ ...order, amountMinor: order.refundedMinor }, labels.refunded) : []),
      ...fact(labels.order, order.claimId),
    ],
    actions: [{ label: texts.close }],
  }),
  ended: ({ end, order }) => ({
    mood: 'over',
    ...(REASONED_ENDS.includes(end) && texts.ends[order.reason] ? texts.ends[order.reason] : texts.ends[end]),
    facts: [],
    actions: [...(FINAL_ENDS.includes(end) ? [] : [again]), { label: texts.close, event: 'close' }],
  }),
};

const again = { label: texts.tryAgain, event: 'restart' };

const waiting = ({ heading, message }) => ({ mood: 'waiting', heading, message, facts: [], actions: [] });

const leave = { label: texts.standby.leave, event: 'giveUp' };

const joined = ({ order }, nowMs, { opensAtMs }) => ({
  ...waiting(texts.joined),
  facts: [...entryOf(order), ...fact(labels.opensIn, opensAtMs !== undefined && formatSpan(opensAtMs - nowMs))],
  actions: [leave],
});

const drawing = ({ order }, { source }) => ({
  ...waiting({
    heading: texts.drawing.heading,
    message: source === undefined ? texts.drawing.message : texts.drawing.waits(source),
  }),
  facts: entryOf(order),
  actions: [leave],
});

function payable({ order, promoted }, nowMs) {
  const leftMs = (order.payByMs ?? Number.POSITIVE_INFINITY) - nowMs;
  const isLate = leftMs <= 0;
  const message = promoted ? texts.payable.promoted : texts.payable.message;
  return {
    mood: 'yours',
    heading: texts.payable.heading(order.unit),
    message: isLate ? texts.payable.late : message,
    facts: [...amountOf(order, labels.amount), ...fact(labels.timeLeft, Number.isFinite(leftMs) && formatSpan(leftMs))],
    actions: [
      { ...paymentOf(order), disabled: isLate },
      { label: texts.payable.giveUp, event: 'giveUp', disabled: isLate },
    ],
  };
}

/**
 * Returns the button to pay. It leads to the payment provider's page if the order has a `paymentUrl`. Else it pays by a
 * request to the API.
 */
const paymentOf = ({ paymentUrl }) =>
  /^https?:/.test(paymentUrl)
    ? { label: texts.payable.payElsewhere, href: paymentUrl }
    : { label: texts.payable.pay, event: 'pay' };

const fact = (label, value) => (value ? [[label, value]] : []);

const entryOf = ({ entry }) => fact(labels.entry, entry && String(entry));

const unitOf = ({ unit }) => fact(labels.unit, unit && String(unit));

const amountOf = (order, label) => fact(label, order.currency && formatPrice(order, texts.locale));
