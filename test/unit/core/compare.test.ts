import { describe, expect, test } from '@jest/globals';
import { type BuyerFacts, compareBuyer, type Difference, describe as lineOf } from '#core/comparison/compare.js';
import type { ClaimRecord } from '#core/rules/claim.js';
import type { Order } from '#core/rules/order.js';

const order = (wanted: Partial<Order> = {}): Order => ({
  claimId: 'c1',
  buyerId: 'a',
  unit: 1,
  status: 'pending_payment',
  reason: null,
  payByMs: 5,
  ...wanted,
});

const claim = (wanted: Partial<ClaimRecord> = {}): ClaimRecord => ({
  claimId: 'c1',
  unit: 1,
  status: 'pending_payment',
  payByMs: 5,
  ...wanted,
});

/** Compares what both stores hold of the buyer `a`. */
const differencesOf = (facts: Partial<BuyerFacts>): Difference[] =>
  compareBuyer({ buyerId: 'a', order: undefined, claim: undefined, isUnplaced: false, countsStrikes: true, ...facts });

test('a claim with another unit than its order makes both units wrong', () => {
  const found = differencesOf({ order: order(), claim: claim({ unit: 2 }) });
  expect(found).toEqual([{ kind: 'units_wrong', units: [1, 2] }]);
});

describe('both stores agree', () => {
  test.each<[string, Partial<BuyerFacts>]>([
    ['about nobody', {}],
    ['about a placed order', { order: order(), claim: claim() }],
    ['about a claim in the outbox, which needs no order yet', { claim: claim({ status: 'queued' }), isUnplaced: true }],
    ['about an order that ended, which needs no claim', { order: order({ status: 'cancelled' }) }],
    ['about a claim that ended, which needs no order', { claim: claim({ status: 'cancelled' }) }],
    ['about a claim that was rejected', { claim: claim({ status: 'rejected' }) }],
    [
      'about a buyer who has claimed again',
      { order: order({ status: 'cancelled' }), claim: claim({ claimId: 'c2', status: 'queued' }), isUnplaced: true },
    ],
  ])('%s', (_about, facts) => expect(differencesOf(facts)).toEqual([]));

  test.each(['void', 'rejected', 'cancelled'] as const)('about a claim that ended, with its %s order', status => {
    const ended = claim({ status: status === 'void' ? 'rejected' : status });
    expect(differencesOf({ order: order({ status }), claim: ended })).toEqual([]);
  });
});

describe('differences', () => {
  test.each<[string, Partial<BuyerFacts>]>([
    ['Redis has no claim', {}],
    ['Redis has another claim', { claim: claim({ claimId: 'c2' }), isUnplaced: true }],
    ['the claim ended', { claim: claim({ status: 'cancelled' }) }],
  ])('claim_missing: an order is live, and %s', (_why, facts) => {
    expect(differencesOf({ order: order(), ...facts })).toEqual([{ kind: 'claim_missing', order: order() }]);
  });

  test('release_missing: an order has ended and its claim is live', () => {
    const ended = order({ status: 'void' });
    expect(differencesOf({ order: ended, claim: claim() })).toEqual([{ kind: 'release_missing', order: ended }]);
  });

  test('status_behind: the claim says less than its order', () => {
    const paid = order({ status: 'paid' });
    expect(differencesOf({ order: paid, claim: claim() })).toEqual([{ kind: 'status_behind', order: paid }]);
  });

  test('outbox_missing: a live claim has neither order nor outbox entry', () => {
    const lost = claim({ status: 'queued' });
    expect(differencesOf({ claim: lost })).toEqual([{ kind: 'outbox_missing', buyerId: 'a', claim: lost }]);
  });

  test('two at once: the order is live, and the outbox lacks the other claim of its buyer', () => {
    const found = differencesOf({ order: order(), claim: claim({ claimId: 'c2' }) });
    expect(found.map(({ kind }) => kind)).toEqual(['claim_missing', 'outbox_missing']);
  });
});

describe('a claim that does not say what its order says', () => {
  const kinds = (one: Partial<ClaimRecord>, other: Partial<Order>) =>
    differencesOf({ order: order(other), claim: claim(one) }).map(({ kind }) => kind);
  const paid = { status: 'paid' } as const;

  test.each<[string, Partial<ClaimRecord>, Partial<Order>]>([
    ['a part went back', paid, { ...paid, refundedMinor: 1 }],
    ['more went back', { ...paid, refundedMinor: 1 }, { ...paid, refundedMinor: 2 }],
    ['nothing went back', { ...paid, refundedMinor: 1 }, paid],
    ['there is more time to pay', {}, { payByMs: 6 }],
    ['it is to be paid', paid, {}],
  ])('is behind: %s', (_what, one, other) => expect(kinds(one, other)).toEqual(['status_behind']));

  test.each<[string, Partial<ClaimRecord>, Partial<Order>]>([
    ['as much went back', { ...paid, refundedMinor: 2 }, { ...paid, refundedMinor: 2 }],
    ['the deadline of a paid order has moved', paid, { ...paid, payByMs: 6 }],
  ])('is not behind: %s', (_what, one, other) => expect(kinds(one, other)).toEqual([]));
});

test('each kind of difference has a line of its own, which names the order or the claim', () => {
  const one = order({ claimId: 'the-order' });
  const lines: Record<Difference['kind'], string> = {
    claim_missing: lineOf({ kind: 'claim_missing', order: one }),
    release_missing: lineOf({ kind: 'release_missing', order: one }),
    status_behind: lineOf({ kind: 'status_behind', order: one }),
    outbox_missing: lineOf({ kind: 'outbox_missing', buyerId: 'a', claim: claim({ claimId: 'the-order' }) }),
    strikes_wrong: lineOf({
      kind: 'strikes_wrong',
      order: order({ claimId: 'the-order', strikes: 2 }),
      claim: undefined,
    }),
    units_wrong: lineOf({ kind: 'units_wrong', units: [7] }),
  };
  expect(new Set(Object.values(lines)).size).toBe(6);
  const { units_wrong: units, ...others } = lines;
  expect(units).toMatch(/: 7$/);
  expect(Object.values(others).filter(line => !line.includes('the-order'))).toEqual([]);
});
