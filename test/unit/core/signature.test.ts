import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseProviderEvent } from '#core/payments/provider-event.js';
import { isSigned, signBody, TOLERANCE_MS } from '#core/payments/signature.js';

const NOW = 1_700_000_000_000;
const KEY = 'whsec_the_key_of_today';
const OLD_KEY = 'whsec_the_key_of_yesterday';
const body: Buffer = Buffer.from('{"id":"evt_1", "amount": 1999}');
const header = signBody([KEY], body, NOW);
const signature = header.slice(header.indexOf('v1=') + 3);
const check = (given: string | undefined, bytes = body, nowMs = NOW, keys = [KEY]) =>
  isSigned(keys, { body: bytes, header: given }, nowMs);

describe('a signature', () => {
  test('is the HMAC of the time, a dot and the raw bytes, as Stripe writes it', () => {
    const expected = createHmac('sha256', KEY).update(`1700000000.${body.toString()}`).digest('hex');
    expect(header).toBe(`t=1700000000,v1=${expected}`);
    expect(check(`t=1700000000,v1=${expected},v0=${'0'.repeat(64)}`)).toBe(true);
  });

  const forged: [string, string | undefined, Buffer?][] = [
    ['no header', undefined],
    ['an empty header', ''],
    ['no time', `v1=${signature}`],
    ['another time', `t=1700000001,v1=${signature}`],
    ['two times', `t=1700000000,t=1700000001,v1=${signature}`],
    ['a time that is no number', `t=now,v1=${signature}`],
    ['no signature', 't=1700000000'],
    ['another scheme', `t=1700000000,v0=${signature}`],
    ['a bit less', `t=1700000000,v1=${signature.slice(0, -1)}`],
    ['a bit flipped', `t=1700000000,v1=${signature.slice(0, -1)}${signature.endsWith('0') ? '1' : '0'}`],
    ['capital letters', `t=1700000000,v1=${signature.toUpperCase()}`],
    ['nine signatures', `t=1700000000,${`v1=${'0'.repeat(64)},`.repeat(8)}v1=${signature}`],
    ['other bytes', header, Buffer.from('{"id":"evt_1", "amount": 1}')],
    ['the same JSON written anew', header, Buffer.from(JSON.stringify(JSON.parse(body.toString())))],
    ['no bytes', header, Buffer.alloc(0)],
  ];

  // As objects: of a row that is shorter than the parameters, Jest makes the last one a callback, and waits for it.
  const cases = forged.map(([name, given, bytes]) => ({ name, given, bytes }));
  test.each(cases)('with $name is refused', ({ given, bytes }) => expect(check(given, bytes)).toBe(false));

  test('holds for five minutes, both ways', () => {
    expect(check(header, body, NOW + TOLERANCE_MS)).toBe(true);
    expect(check(header, body, NOW + TOLERANCE_MS + 1_000)).toBe(false);
    expect(check(header, body, NOW - TOLERANCE_MS - 1_000)).toBe(false);
  });

  test('while keys are rotated either key will do, and another one will not', () => {
    expect(check(signBody([OLD_KEY], body, NOW), body, NOW, [KEY, OLD_KEY])).toBe(true);
    expect(check(signBody([KEY, OLD_KEY], body, NOW), body, NOW, [OLD_KEY])).toBe(true);
    expect(check(signBody(['somebody else'], body, NOW), body, NOW, [KEY, OLD_KEY])).toBe(false);
    expect(check(header, body, NOW, [])).toBe(false);
  });
});

describe('an event', () => {
  const orderId = '00000000-0000-4000-8000-000000000001';
  const intent = { id: 'pi_1', amount: 1999, amount_received: 1500, currency: 'eur', metadata: { order_id: orderId } };
  const parse = (event: unknown) => parseProviderEvent(Buffer.from(JSON.stringify(event)));

  test('tells what was received, not what was asked for', () => {
    expect(parse({ id: 'evt_1', type: 'payment_intent.succeeded', data: { object: intent } })).toEqual({
      eventId: 'evt_1',
      type: 'payment_intent.succeeded',
      report: { paymentId: 'pi_1', orderId, state: 'paid', amountMinor: 1500, currency: 'EUR' },
    });
  });

  test('of a type that is not about a payment is passed over', () => {
    expect(parse({ id: 'evt_2', type: 'customer.created', data: { object: { id: 'cus_1' } } })).toEqual({
      eventId: 'evt_2',
      type: 'customer.created',
    });
  });

  test.each(['', 'x', '[]', 'null', '{"id":"evt"}', '{"id":1,"type":"a","data":{"object":{}}}'])('%p is none', text => {
    expect(parseProviderEvent(Buffer.from(text))).toBeUndefined();
  });
});
