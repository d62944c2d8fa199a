import { describe, expect, test } from '@jest/globals';
import { faultOf, PASS_LEAD_MS, PASS_LIFE_MS, PASS_TOLERANCE_MS, signPass } from '#core/identity/pass.js';
import { receiptKey, signReceipt } from '#core/identity/receipt.js';

const KEY = receiptKey('a secret of more than thirty-two characters');
const OTHER_KEY = receiptKey('another secret of thirty-two characters!');
const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const SALE = { id: 'sale', opensAtMs: NOW_MS, closesAtMs: NOW_MS + HOUR_MS };

const give = (sale: Parameters<typeof signPass>[1] = SALE, nowMs = NOW_MS, buyerId = 'buyer') =>
  signPass(KEY, sale, { buyerId, nowMs });
const { text: TEXT } = give();

const faultAt = (nowMs: number, text = TEXT) => faultOf([KEY], text, { saleId: 'sale', buyerId: 'buyer', nowMs });
const fault = (text: string, saleId = 'sale', buyerId = 'buyer') =>
  faultOf([KEY], text, { saleId, buyerId, nowMs: NOW_MS });

describe('the time of a pass', () => {
  test('begins when it is given, and ends ten minutes later', () => {
    expect(give(SALE, NOW_MS + 1_000).pass).toEqual({
      saleId: 'sale',
      buyerId: 'buyer',
      fromMs: NOW_MS + 1_000,
      untilMs: NOW_MS + 1_000 + PASS_LIFE_MS,
    });
  });

  test('begins at the opening, or when buyers may join, if it is given before', () => {
    expect(give(SALE, NOW_MS - PASS_LEAD_MS).pass).toMatchObject({ fromMs: NOW_MS, untilMs: NOW_MS + PASS_LIFE_MS });
    const joinsAtMs = NOW_MS - HOUR_MS;
    expect(give({ ...SALE, joinsAtMs }, joinsAtMs - 1).pass).toMatchObject({ fromMs: joinsAtMs });
  });

  test('ends with the sale', () => {
    expect(give({ ...SALE, closesAtMs: NOW_MS + 1_000 }).pass.untilMs).toBe(NOW_MS + 1_000);
  });

  test.each([
    ['5 s before it begins: valid', -PASS_TOLERANCE_MS, undefined],
    ['earlier: too early', -PASS_TOLERANCE_MS - 1, 'early'],
    ['as it begins: valid', 0, undefined],
    ['5 s after its end: valid', PASS_LIFE_MS + PASS_TOLERANCE_MS, undefined],
    ['later: expired', PASS_LIFE_MS + PASS_TOLERANCE_MS + 1, 'expired'],
  ])('%s', (_, ms, expected) => expect(faultAt(NOW_MS + ms)).toBe(expected));
});

test('a pass needs no escaping in a header, and no two passes are alike', () => {
  expect(encodeURIComponent(TEXT)).toBe(TEXT);
  expect(give().text).not.toBe(TEXT);
});

test('while the secret is rotated, a pass by either secret is valid', () => {
  const shown = { saleId: 'sale', buyerId: 'buyer', nowMs: NOW_MS };
  expect(faultOf([OTHER_KEY, KEY], TEXT, shown)).toBeUndefined();
  expect(faultOf([KEY, OTHER_KEY], TEXT, shown)).toBeUndefined();
  expect(faultOf([OTHER_KEY], TEXT, shown)).toBe('bad');
});

describe('refused passes', () => {
  test('a pass of another buyer is refused', () => expect(fault(TEXT, 'sale', 'thief')).toBe('bad'));

  test('a pass for another sale is refused', () => expect(fault(TEXT, 'other')).toBe('bad'));

  test('a pass with another border between sale and buyer is refused', () => {
    const { text } = give({ ...SALE, id: 'sale-a' }, NOW_MS, 'b');
    expect(fault(text, 'sale', '-ab')).toBe('bad');
    expect(fault(text, 'sale-', 'ab')).toBe('bad');
  });

  test('a pass that is cut off or extended is refused', () => {
    for (let length = 0; length < TEXT.length; length += 1) expect(fault(TEXT.slice(0, length))).toBe('bad');
    for (const extra of ['x', '.', '\n', '=', `, ${TEXT}`]) expect(fault(TEXT + extra)).toBe('bad');
  });

  test('a pass with a flipped bit is refused', () => {
    const bytes = Buffer.from(TEXT);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(fault(flipped.toString('latin1'))).toBe('bad');
    }
  });

  test('a pass with a later end is refused', () => {
    const [from, until, nonce, signature] = TEXT.split('.');
    expect(fault([from, Number(until) + HOUR_MS, nonce, signature].join('.'))).toBe('bad');
  });

  test('a receipt is no pass', () => {
    const claimId = '018f0000-0000-7000-8000-000000000000';
    expect(fault(signReceipt(KEY, { saleId: 'sale', buyerId: 'buyer', claimId, unit: 1, wonAtMs: NOW_MS }))).toBe(
      'bad',
    );
  });
});
