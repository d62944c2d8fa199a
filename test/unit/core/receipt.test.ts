import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type Receipt, signReceipt, verifyReceipt } from '#core/identity/receipt.js';

const SECRET = 'a secret of more than thirty-two characters';
const RECEIPT: Receipt = {
  saleId: 'sale',
  buyerId: 'buyer',
  claimId: randomUUID(),
  unit: 7,
  wonAtMs: 1_700_000_000_000,
};
const TEXT = signReceipt(SECRET, RECEIPT);

const verify = (text: string, saleId = 'sale', buyerId = 'buyer', secret = SECRET) =>
  verifyReceipt(secret, text, { saleId, buyerId });

test('a receipt says what it was signed for, in characters that need no escaping in a URL', () => {
  expect(verify(TEXT)).toEqual(RECEIPT);
  expect(encodeURIComponent(TEXT)).toBe(TEXT);
});

describe('a receipt is refused', () => {
  test('when another secret signed it', () => {
    expect(verify(signReceipt('another secret of thirty-two characters!', RECEIPT))).toBeUndefined();
  });

  test('from another buyer', () => expect(verify(TEXT, 'sale', 'thief')).toBeUndefined());

  test('for another sale', () => expect(verify(TEXT, 'other')).toBeUndefined());

  test('when the border between sale and buyer is moved', () => {
    const text = signReceipt(SECRET, { ...RECEIPT, saleId: 'sale-a', buyerId: 'b' });
    expect(verify(text, 'sale', '-ab')).toBeUndefined();
    expect(verify(text, 'sale-', 'ab')).toBeUndefined();
  });

  test('cut off anywhere, or with anything added', () => {
    for (let length = 0; length < TEXT.length; length += 1) expect(verify(TEXT.slice(0, length))).toBeUndefined();
    for (const extra of ['x', '.', '\n', '=']) expect(verify(TEXT + extra)).toBeUndefined();
  });

  test('with any bit flipped', () => {
    const bytes = Buffer.from(TEXT);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(verify(flipped.toString('latin1'))).toBeUndefined();
    }
  });

  test('with another unit, claim or time under the old signature', () => {
    const [claimId, unit, wonAtMs, signature] = TEXT.split('.');
    expect(verify([claimId, Number(unit) + 1, wonAtMs, signature].join('.'))).toBeUndefined();
    expect(verify([randomUUID(), unit, wonAtMs, signature].join('.'))).toBeUndefined();
    expect(verify([claimId, unit, Number(wonAtMs) + 1, signature].join('.'))).toBeUndefined();
  });

  test.each(['', '.', '...', 'null', '[object Object]', '\u0000'.repeat(100), 'x'.repeat(100_000)])(
    'when it is no receipt at all',
    text => expect(verify(text)).toBeUndefined(),
  );
});
