import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type Receipt, receiptKey, signReceipt, verifyReceipt } from '#core/identity/receipt.js';

const SECRET = 'a secret of more than thirty-two characters';
const RECEIPT: Receipt = {
  saleId: 'sale',
  buyerId: 'buyer',
  claimId: randomUUID(),
  unit: 7,
  wonAtMs: 1_700_000_000_000,
};
const TEXT = signReceipt(SECRET, RECEIPT);

const verify = (text: string, saleId = 'sale', buyerId = 'buyer') => verifyReceipt([SECRET], text, { saleId, buyerId });

test('verifying a receipt returns the signed facts, and its text needs no escaping in a URL', () => {
  expect(verify(TEXT)).toEqual(RECEIPT);
  expect(encodeURIComponent(TEXT)).toBe(TEXT);
});

test('while the secret is rotated, a receipt by either secret is valid', () => {
  const keys = ['the next secret of thirty-two characters!', SECRET].map(receiptKey);
  expect(verifyReceipt(keys, TEXT, RECEIPT)).toEqual(RECEIPT);
  expect(verifyReceipt(keys.reverse(), TEXT, RECEIPT)).toEqual(RECEIPT);
  expect(verifyReceipt(keys, TEXT, { ...RECEIPT, buyerId: 'thief' })).toBeUndefined();
});

describe('refused receipts', () => {
  test('a receipt that another secret signed is refused', () => {
    expect(verify(signReceipt('another secret of thirty-two characters!', RECEIPT))).toBeUndefined();
  });

  test('a receipt of another buyer is refused', () => expect(verify(TEXT, 'sale', 'thief')).toBeUndefined());

  test('a receipt for another sale is refused', () => expect(verify(TEXT, 'other')).toBeUndefined());

  test('a receipt with another border between sale and buyer is refused', () => {
    const text = signReceipt(SECRET, { ...RECEIPT, saleId: 'sale-a', buyerId: 'b' });
    expect(verify(text, 'sale', '-ab')).toBeUndefined();
    expect(verify(text, 'sale-', 'ab')).toBeUndefined();
  });

  test('a receipt that is cut off or extended is refused', () => {
    for (let length = 0; length < TEXT.length; length += 1) expect(verify(TEXT.slice(0, length))).toBeUndefined();
    for (const extra of ['x', '.', '\n', '=']) expect(verify(TEXT + extra)).toBeUndefined();
  });

  test('a receipt with a flipped bit is refused', () => {
    const bytes = Buffer.from(TEXT);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(verify(flipped.toString('latin1'))).toBeUndefined();
    }
  });

  test('a receipt with another unit, claim or time is refused', () => {
    const [claimId, unit, wonAtMs, signature] = TEXT.split('.');
    expect(verify([claimId, Number(unit) + 1, wonAtMs, signature].join('.'))).toBeUndefined();
    expect(verify([randomUUID(), unit, wonAtMs, signature].join('.'))).toBeUndefined();
    expect(verify([claimId, unit, Number(wonAtMs) + 1, signature].join('.'))).toBeUndefined();
  });

  test.each(['', '.', '...', 'null', '[object Object]', '\u0000'.repeat(100), 'x'.repeat(100_000)])(
    'a text that is not a receipt is refused',
    text => expect(verify(text)).toBeUndefined(),
  );
});
