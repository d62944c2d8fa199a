import { expect, test } from '@jest/globals';
import { formatClaimRecord, parseClaimRecord } from '#core/rules/claim.js';
import { Failures } from '#core/rules/failures.js';
import { claimOf } from '#core/rules/order.js';
import { CURRENCY_PATTERN, hasPurchaseRules } from '#core/rules/sale.js';

const PAID = 'c-1 7 paid 1700000000000 -';

test('the record of a claim says what went back of its money, and words of later versions are ignored', () => {
  const claim = { claimId: 'c-1', unit: 7, status: 'paid', payByMs: 1_700_000_000_000 } as const;
  expect(parseClaimRecord(`${PAID} refunded=1200`)).toEqual({ ...claim, refundedMinor: 1_200 });
  expect(parseClaimRecord(`${PAID} later=1 refunded=5`)).toEqual({ ...claim, refundedMinor: 5 });
  for (const word of ['xrefunded=5', 'refunded=5x', 'refunded=', 'refunded=-5', 'refunded=x']) {
    expect(parseClaimRecord(`${PAID} ${word}`)).toEqual(claim);
  }
  expect(formatClaimRecord({ ...claim, refundedMinor: 1_200 })).toBe(`${PAID} refunded=1200`);
  expect(formatClaimRecord({ ...claim, refundedMinor: 0 })).toBe(PAID);
});

test('an order is shown as a claim, with its reason if it has one', () => {
  const facts = { claimId: 'c-1', buyerId: 'ada', unit: 7, payByMs: 5, refundedMinor: 3 };
  expect(claimOf({ ...facts, status: 'paid', reason: null })).toStrictEqual({ ...facts, status: 'paid' });
  expect(claimOf({ ...facts, status: 'void', reason: 'lost' })).toStrictEqual({
    ...facts,
    status: 'rejected',
    reason: 'lost',
  });
});

test('a currency of a provider has three capital letters', () => {
  const texts = ['EUR', 'XYZ', 'eur', 'EU', 'EURO', 'xEUR', 'EURx', 'E', '123', ''];
  expect(texts.filter(text => CURRENCY_PATTERN.test(text))).toEqual(['EUR', 'XYZ']);
});

test.each([
  [false, 0, false],
  [true, 0, true],
  [false, 1, true],
  [true, 1, true],
])(
  'a sale with one purchase at a time (%s) or a pause of %d s has rules about purchases: %s',
  (one, seconds, expected) => {
    expect(hasPurchaseRules({ onePurchaseAtATime: one, minSecondsBetweenPurchases: seconds })).toBe(expected);
  },
);

test('several failures are an error of their own name', () => {
  expect(new Failures([{ error: 'a' }])).toMatchObject({ name: 'Failures', message: '1 failed: a' });
});
