import { expect, test } from '@jest/globals';
import { type Dispute, disputedAmounts, joinDispute } from '#core/rules/dispute.js';

test('the first report about a dispute is what is known of it, without the ids in it', () => {
  const report = { disputeId: 'dp_1', paymentId: 'pi_1', currency: 'EUR', state: 'inquiry', amountMinor: 5 } as const;
  expect(joinDispute(undefined, report)).toEqual({ state: 'inquiry', amountMinor: 5 });
});

test('a dispute keeps the later state and the greater amount', () => {
  const states = ['inquiry', 'open', 'won', 'lost'] as const;
  const joined = states.map(known =>
    states.map(state => joinDispute({ state: known, amountMinor: 7 }, { state, amountMinor: 5 })),
  );
  const expected = states.map((_, i) => states.map((_, j) => ({ state: states[Math.max(i, j)], amountMinor: 7 })));
  expect(joined).toEqual(expected);
  expect(joinDispute({ state: 'open', amountMinor: 5 }, { state: 'open', amountMinor: 7 }).amountMinor).toBe(7);
});

test('open disputes withhold money, lost ones keep it, and others do neither', () => {
  const disputes: Dispute[] = [
    { state: 'inquiry', amountMinor: 1 },
    { state: 'open', amountMinor: 2 },
    { state: 'open', amountMinor: 4 },
    { state: 'won', amountMinor: 8 },
    { state: 'lost', amountMinor: 16 },
    { state: 'lost', amountMinor: 32 },
  ];
  expect(disputedAmounts(disputes)).toEqual({ withheldMinor: 6, lostMinor: 48 });
  expect(disputedAmounts([])).toEqual({ withheldMinor: 0, lostMinor: 0 });
});
