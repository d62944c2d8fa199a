import { expect, test } from '@jest/globals';
import { isLive } from '#core/rules/claim.js';
import { claimStatusOf, isLiveOrder, type OrderStatus } from '#core/rules/order.js';

const STATUSES: OrderStatus[] = ['pending_payment', 'paid', 'refunded', 'cancelled', 'rejected', 'void'];

test('a tombstone is a rejected claim, and every other status stays the same', () => {
  expect(STATUSES.map(claimStatusOf)).toEqual([
    'pending_payment',
    'paid',
    'refunded',
    'cancelled',
    'rejected',
    'rejected',
  ]);
});

test('an order keeps its unit exactly when its claim does', () => {
  for (const status of STATUSES) expect(isLiveOrder(status)).toBe(isLive(claimStatusOf(status)));
});
