import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  CLAIM_STATUSES,
  type ClaimRecord,
  formatClaimRecord,
  ID_PATTERN,
  isLive,
  parseClaimRecord,
} from '#core/rules/claim.js';

test('a claim record is the same after formatting and parsing', () => {
  const record = fc.record(
    {
      claimId: fc.uuid(),
      unit: fc.integer({ min: 1, max: 1_000_000 }),
      status: fc.constantFrom(...CLAIM_STATUSES),
      payByMs: fc.integer({ min: 1, max: 4_102_444_800_000 }),
      reason: fc.constantFrom('unpaid', 'insufficient_funds', 'lost'),
      refundedMinor: fc.integer({ min: 1 }),
      strikes: fc.integer({ min: 1, max: 100 }),
    },
    { requiredKeys: ['claimId', 'unit', 'status'] },
  );
  fc.assert(
    fc.property(record, claim => {
      expect(parseClaimRecord(formatClaimRecord(claim as ClaimRecord))).toEqual(claim);
    }),
  );
});

test('a claim record has a dash for each unknown field', () => {
  expect(formatClaimRecord({ claimId: 'c', unit: 7, status: 'queued' })).toBe('c 7 queued - -');
});

test.each(['', 'c', 'c 7 queued', 'c 7 queued -', 'c  queued - -'])(
  'a claim record of another form is refused: "%s"',
  text => {
    expect(() => parseClaimRecord(text)).toThrow('claim record of another form');
  },
);

test('a claim is live until it ends', () => {
  expect(CLAIM_STATUSES.filter(isLive)).toEqual(['queued', 'pending_payment', 'paid']);
});

test.each(['a', 'A-b_9', 'x'.repeat(64)])('%s is an id', id => expect(ID_PATTERN.test(id)).toBe(true));

test.each(['', 'x'.repeat(65), 'a b', 'a\n', 'ä', '{a}', 'a.b', '@run'])('%j is not an id', id => {
  expect(ID_PATTERN.test(id)).toBe(false);
});
