import { expect, test } from '@jest/globals';
import { parseProviderEvent } from '#core/payments/provider-event.js';

const ORDER = '00000000-0000-4000-8000-000000000001';
const intent = { id: 'pi_1', amount: 1_999, currency: 'eur', metadata: { order_id: ORDER } };
const charge = { ...intent, id: 'ch_1', payment_intent: 'pi_1' };
const dispute = { ...charge, id: 'dp_1', amount: 700, status: 'lost' };

const parse = (type: string, object: object) =>
  parseProviderEvent(Buffer.from(JSON.stringify({ id: 'evt_1', type, data: { object } })));
const reportOf = (type: string, object: object) => parse(type, object)?.report;
const disputeOf = (object: object) => parse('charge.dispute.updated', object)?.dispute;

const payment = { paymentId: 'pi_1', orderId: ORDER, currency: 'EUR' };

test('a payment that succeeded took the amount that was received, or else the whole amount', () => {
  const type = 'payment_intent.succeeded';
  expect(reportOf(type, { ...intent, amount_received: 1_500 })).toEqual({
    ...payment,
    state: 'paid',
    amountMinor: 1_500,
  });
  expect(reportOf(type, intent)).toEqual({ ...payment, state: 'paid', amountMinor: 1_999 });
});

test('a payment that was cancelled has failed, with the amount that was asked for', () => {
  expect(reportOf('payment_intent.canceled', { ...intent, amount_received: 0 })).toEqual({
    ...payment,
    state: 'failed',
    amountMinor: 1_999,
  });
});

test.each([
  { name: 'a part', told: { amount_refunded: 500 }, state: 'paid', amountMinor: 1_999, refundedMinor: 500 },
  { name: 'all', told: { amount_refunded: 1_999 }, state: 'refunded', amountMinor: 1_999, refundedMinor: 1_999 },
  { name: 'an amount that is not told', told: {}, state: 'refunded', amountMinor: 1_999, refundedMinor: 1_999 },
  {
    name: 'all that was captured',
    told: { amount_captured: 1_200, amount_refunded: 1_200 },
    state: 'refunded',
    amountMinor: 1_200,
    refundedMinor: 1_200,
  },
  {
    name: 'a part of what was captured',
    told: { amount_captured: 1_200, amount_refunded: 1_199 },
    state: 'paid',
    amountMinor: 1_200,
    refundedMinor: 1_199,
  },
])('after a refund of $name the payment is $state', ({ told, state, amountMinor, refundedMinor }) => {
  expect(reportOf('charge.refunded', { ...charge, ...told })).toEqual({
    ...payment,
    state,
    amountMinor,
    refundedMinor,
  });
});

test.each([
  ['warning_needs_response', 'inquiry'],
  ['warning_under_review', 'inquiry'],
  ['warning_closed', 'won'],
  ['needs_response', 'open'],
  ['under_review', 'open'],
  ['won', 'won'],
  ['lost', 'lost'],
])('a dispute with the status %s is %s', (status, state) => {
  expect(disputeOf({ ...dispute, status })).toEqual({ ...payment, disputeId: 'dp_1', state, amountMinor: 700 });
});

test('a dispute of an unknown status, or without its payment, reports nothing', () => {
  const type = 'charge.dispute.created';
  const empty = { eventId: 'evt_1', type };
  expect(parse(type, { ...dispute, status: 'prevented' })).toStrictEqual({ ...empty, dispute: undefined });
  expect(parse(type, { ...dispute, payment_intent: undefined })).toStrictEqual({ ...empty, dispute: undefined });
});

test('a payment or a dispute without the id of an order names no order', () => {
  for (const metadata of [undefined, {}]) {
    expect(reportOf('payment_intent.succeeded', { ...intent, metadata })).toMatchObject({ paymentId: 'pi_1' });
    expect(reportOf('payment_intent.succeeded', { ...intent, metadata })).not.toMatchObject({ orderId: ORDER });
    expect(disputeOf({ ...dispute, metadata })).toMatchObject({ disputeId: 'dp_1' });
    expect(disputeOf({ ...dispute, metadata })).not.toMatchObject({ orderId: ORDER });
  }
});

test.each([
  { name: 'a currency with a letter more at its end', wrong: { currency: 'eurx' } },
  { name: 'a currency with a letter more at its beginning', wrong: { currency: 'xeur' } },
  { name: 'half a cent', wrong: { amount: 0.5 } },
  { name: 'a negative amount', wrong: { amount: -1 } },
  { name: 'the id of an order that is no UUID', wrong: { metadata: { order_id: 'order 1' } } },
])('a payment with $name is not reported', ({ wrong }) => {
  expect(parse('payment_intent.succeeded', { ...intent, ...wrong })).toEqual({
    eventId: 'evt_1',
    type: 'payment_intent.succeeded',
  });
  expect(disputeOf({ ...dispute, ...wrong })).toBeUndefined();
});

test('an event of another type reports nothing, even about a payment', () => {
  const type = 'payment_intent.created';
  expect(parse(type, intent)).toStrictEqual({ eventId: 'evt_1', type });
});

test('an id that is no text, and cannot become one, leaves the event without a report', () => {
  const type = 'payment_intent.succeeded';
  for (const odd of [{ id: { toString: 1 } }, { payment_intent: { toString: 1 } }]) {
    expect(parse(type, { ...intent, ...odd })).toStrictEqual({ eventId: 'evt_1', type });
  }
});

test('a hostile id of a payment makes the whole event unreadable', () => {
  for (const odd of [{ id: 'pi\0' }, { payment_intent: 'pi\0' }]) {
    expect(parse('charge.refunded', { ...charge, ...odd })).toBeUndefined();
  }
});

test('a body that is no JSON contains no event', () => {
  expect(parseProviderEvent(Buffer.from('{"id":"evt_1"'))).toBeUndefined();
});
