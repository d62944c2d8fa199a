import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseProviderEvent } from '#core/payments/provider-event.js';
import { isSigned, mayBeSigned, signBody, TOLERANCE_MS } from '#core/payments/signature.js';

const NOW = 1_700_000_000_000;
const KEY = 'whsec_the_key_of_today';
const OLD_KEY = 'whsec_the_key_of_yesterday';
const body: Buffer = Buffer.from('{"id":"evt_1", "amount": 1999}');
const header = signBody([KEY], body, NOW);
const signature = header.slice(header.indexOf('v1=') + 3);

interface Check {
  bytes?: Buffer | undefined;
  nowMs?: number;
  keys?: string[];
}

const check = (given: string | undefined, { bytes = body, nowMs = NOW, keys = [KEY] }: Check = {}) =>
  isSigned(keys, { body: bytes, header: given }, nowMs);

describe('a signature', () => {
  test('a signature is the HMAC of the time, a dot and the raw bytes, in the format of Stripe', () => {
    const expected = createHmac('sha256', KEY).update(`1700000000.${body.toString()}`).digest('hex');
    expect(header).toBe(`t=1700000000,v1=${expected}`);
    expect(check(`t=1700000000,v1=${expected},v0=${'0'.repeat(64)}`)).toBe(true);
  });

  const forged: [string, string | undefined, Buffer?][] = [
    ['no header', undefined],
    ['an empty header', ''],
    ['no time stamp', `v1=${signature}`],
    ['another time stamp', `t=1700000001,v1=${signature}`],
    ['two time stamps', `t=1700000000,t=1700000001,v1=${signature}`],
    ['a time stamp that is not a number', `t=now,v1=${signature}`],
    ['no signature', 't=1700000000'],
    ['another scheme', `t=1700000000,v0=${signature}`],
    ['a signature that is too short', `t=1700000000,v1=${signature.slice(0, -1)}`],
    ['a flipped bit', `t=1700000000,v1=${signature.slice(0, -1)}${signature.endsWith('0') ? '1' : '0'}`],
    ['a signature in capital letters', `t=1700000000,v1=${signature.toUpperCase()}`],
    ['nine signatures', `t=1700000000,${`v1=${'0'.repeat(64)},`.repeat(8)}v1=${signature}`],
    ['other bytes', header, Buffer.from('{"id":"evt_1", "amount": 1}')],
    ['the same JSON in another layout', header, Buffer.from(JSON.stringify(JSON.parse(body.toString())))],
    ['no bytes', header, Buffer.alloc(0)],
  ];

  // Objects, not arrays: if an array is shorter than the parameters, Jest passes a callback and waits for its call.
  const cases = forged.map(([name, given, bytes]) => ({ name, given, bytes }));
  test.each(cases)('a request with $name is refused', ({ given, bytes }) => {
    expect(check(given, { bytes })).toBe(false);
  });

  test('the header alone shows a wrong form and a wrong age, without the body', () => {
    // These headers are in order, and only the body shows that they are forged.
    const needBody = [
      'another time stamp',
      'a flipped bit',
      'other bytes',
      'the same JSON in another layout',
      'no bytes',
    ];
    const plausible = forged.filter(([, given]) => mayBeSigned(given, NOW)).map(([name]) => name);
    expect(plausible).toEqual(needBody);
    expect(mayBeSigned(header, NOW + TOLERANCE_MS)).toBe(true);
    expect(mayBeSigned(header, NOW + TOLERANCE_MS + 1_000)).toBe(false);
  });

  test('a signature is valid for five minutes before and after its time', () => {
    expect(check(header, { nowMs: NOW + TOLERANCE_MS })).toBe(true);
    expect(check(header, { nowMs: NOW + TOLERANCE_MS + 1_000 })).toBe(false);
    expect(check(header, { nowMs: NOW - TOLERANCE_MS - 1_000 })).toBe(false);
  });

  test('during a rotation both keys are valid, and any other key is not', () => {
    expect(check(signBody([OLD_KEY], body, NOW), { keys: [KEY, OLD_KEY] })).toBe(true);
    expect(check(signBody([KEY, OLD_KEY], body, NOW), { keys: [OLD_KEY] })).toBe(true);
    expect(check(signBody(['another key'], body, NOW), { keys: [KEY, OLD_KEY] })).toBe(false);
    expect(check(header, { keys: [] })).toBe(false);
  });
});

describe('an event', () => {
  const orderId = '00000000-0000-4000-8000-000000000001';
  const intent = { id: 'pi_1', amount: 1999, amount_received: 1500, currency: 'eur', metadata: { order_id: orderId } };
  const parse = (event: unknown) => parseProviderEvent(Buffer.from(JSON.stringify(event)));

  test('an event reports the received amount, not the requested one', () => {
    expect(parse({ id: 'evt_1', type: 'payment_intent.succeeded', data: { object: intent } })).toEqual({
      eventId: 'evt_1',
      type: 'payment_intent.succeeded',
      report: { paymentId: 'pi_1', orderId, state: 'paid', amountMinor: 1500, currency: 'EUR' },
    });
  });

  test('an event that is not about a payment has no report', () => {
    expect(parse({ id: 'evt_2', type: 'customer.created', data: { object: { id: 'cus_1' } } })).toEqual({
      eventId: 'evt_2',
      type: 'customer.created',
    });
  });

  test.each(['\0', '\u001b[2J', 'a\nb', '\u0085', '\ud800'])('the text %j of a provider is refused', text => {
    const data = { object: intent };
    expect(parse({ id: `evt${text}`, type: 'payment_intent.succeeded', data })).toBeUndefined();
    expect(parse({ id: 'evt', type: `a${text}`, data })).toBeUndefined();
    const strange = { object: { ...intent, id: `pi${text}` } };
    expect(parse({ id: 'evt', type: 'payment_intent.succeeded', data: strange })).toBeUndefined();
  });

  test.each(['', 'x', '[]', 'null', '{"id":"evt"}', '{"id":1,"type":"a","data":{"object":{}}}'])(
    '%p is not an event',
    text => {
      expect(parseProviderEvent(Buffer.from(text))).toBeUndefined();
    },
  );
});
