import { describe, expect, test } from '@jest/globals';
import { compare, type Difference, describe as lineOf } from '#core/comparison/compare.js';
import type { Snapshot } from '#core/redis/sale/snapshot.js';
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

/** Creates the snapshot of a sale of three units: live claims have theirs, and the other units are in stock. */
function snapshot(claims: Record<string, ClaimRecord>, wanted: Partial<Snapshot> = {}): Snapshot {
  const taken = Object.values(claims).flatMap(one =>
    ['cancelled', 'rejected'].includes(one.status) ? [] : [one.unit],
  );
  return {
    units: 3,
    version: 1,
    generation: 1,
    latestGeneration: 1,
    runId: 'run',
    stock: [1, 2, 3].filter(unit => !taken.includes(unit)),
    claims: new Map(Object.entries(claims)),
    outbox: new Map(),
    standby: [],
    tickets: [],
    lastTicket: 0,
    standbyCap: 0,
    atMs: 10,
    ...wanted,
  };
}

test('a claim with another unit than its order makes both units wrong', () => {
  expect(compare(snapshot({ a: claim({ unit: 2 }) }), [order()])).toEqual([{ kind: 'units_wrong', units: [1, 2] }]);
});

describe('agreement', () => {
  test('an empty sale has no differences', () => expect(compare(snapshot({}), [])).toEqual([]));
  test('a placed order agrees with its claim', () => expect(compare(snapshot({ a: claim() }), [order()])).toEqual([]));

  test('a claim in the outbox needs no order yet', () => {
    const outbox = new Map([['a', 1]]);
    expect(compare(snapshot({ a: claim({ status: 'queued' }) }, { outbox }), [])).toEqual([]);
  });

  test.each(['void', 'rejected', 'cancelled'] as const)('a claim that ended agrees with its %s order', status => {
    const ended = claim({ status: status === 'void' ? 'rejected' : status });
    expect(compare(snapshot({ a: ended }), [order({ status })])).toEqual([]);
  });

  test('an order that ended needs no claim in Redis', () => {
    expect(compare(snapshot({}), [order({ status: 'cancelled' })])).toEqual([]);
  });

  test('a buyer with an ended order may claim again', () => {
    const again = claim({ claimId: 'c2', status: 'queued' });
    expect(compare(snapshot({ a: again }, { outbox: new Map([['a', 1]]) }), [order({ status: 'cancelled' })])).toEqual(
      [],
    );
  });
});

describe('differences', () => {
  test.each([
    ['Redis has no claim', {}],
    ['Redis has another claim', { a: claim({ claimId: 'c2' }) }],
    ['the claim ended', { a: claim({ status: 'cancelled' }) }],
  ])('claim_missing: an order is live, and %s', (_why, claims) => {
    const outbox = new Map([['a', 1]]);
    expect(compare(snapshot(claims, { outbox }), [order()])).toEqual([{ kind: 'claim_missing', order: order() }]);
  });

  test('release_missing: an order has ended and its claim is live', () => {
    const ended = order({ status: 'void' });
    expect(compare(snapshot({ a: claim() }), [ended])).toEqual([{ kind: 'release_missing', order: ended }]);
  });

  test('status_behind: the claim says less than its order', () => {
    const paid = order({ status: 'paid' });
    expect(compare(snapshot({ a: claim() }), [paid])).toEqual([{ kind: 'status_behind', order: paid }]);
  });

  test('outbox_missing: a live claim has neither order nor outbox entry', () => {
    const lost = claim({ status: 'queued' });
    expect(compare(snapshot({ a: lost }), [])).toEqual([{ kind: 'outbox_missing', buyerId: 'a', claim: lost }]);
  });

  test.each<[string, number[], number[]]>([
    ['free twice', [2, 3, 3], [3]],
    ['free and claimed', [1, 2, 3], [1]],
    ['neither free nor claimed', [2], [3]],
    ['not of this sale', [2, 3, 4], [4]],
    ['zero', [0, 2, 3], [0]],
  ])('units_wrong: a unit is %s', (_how, stock, units) => {
    expect(compare(snapshot({ a: claim() }, { stock }), [order()])).toEqual([{ kind: 'units_wrong', units }]);
  });

  test('units_wrong: two buyers claim one unit', () => {
    const orders = [order(), order({ claimId: 'c2', buyerId: 'b' })];
    const claims = { a: claim(), b: claim({ claimId: 'c2' }) };
    expect(compare(snapshot(claims), orders)).toEqual([{ kind: 'units_wrong', units: [1] }]);
  });
});

describe('a withdrawn unit', () => {
  const kinds = (seen: Snapshot) => compare(seen, [], [2]).map(({ kind }) => kind);

  test('a withdrawn unit belongs neither to stock nor to a claim', () =>
    expect(kinds(snapshot({}, { stock: [1, 3] }))).toEqual([]));
  test('a withdrawn unit may still be in the refunded claim', () => {
    const held = snapshot({ a: claim({ unit: 2, status: 'paid' }) }, { outbox: new Map([['a', 1]]) });
    expect(kinds(held)).toEqual([]);
  });
  test('a withdrawn unit in stock is a difference', () => expect(kinds(snapshot({}))).toEqual(['units_wrong']));
});

describe('a claim that does not say what its order says', () => {
  const kinds = (one: Partial<ClaimRecord>, other: Partial<Order>) =>
    compare(snapshot({ a: claim(one) }), [order(other)]).map(({ kind }) => kind);
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

test('a claim that ended needs neither order nor outbox entry', () => {
  const ended = snapshot({ a: claim({ status: 'cancelled' }), b: claim({ claimId: 'c2', status: 'rejected' }) });
  expect(compare(ended, [])).toEqual([]);
});

test('a withdrawn unit in two claims is a difference, and so is a claim of a unit after the last one', () => {
  const outbox = new Map([
    ['a', 1],
    ['b', 1],
  ]);
  const twice = { a: claim({ unit: 2 }), b: claim({ unit: 2, claimId: 'c2' }) };
  expect(compare(snapshot(twice, { outbox }), [], [2])).toEqual([{ kind: 'units_wrong', units: [2] }]);
  const beyond = snapshot({ a: claim({ unit: 4 }) }, { outbox });
  expect(compare(beyond, [])).toEqual([{ kind: 'units_wrong', units: [4] }]);
});

test('each kind of difference has a line of its own, which names the order or the claim', () => {
  const one = order({ claimId: 'the-order' });
  const lines: Record<Difference['kind'], string> = {
    claim_missing: lineOf({ kind: 'claim_missing', order: one }),
    release_missing: lineOf({ kind: 'release_missing', order: one }),
    status_behind: lineOf({ kind: 'status_behind', order: one }),
    outbox_missing: lineOf({ kind: 'outbox_missing', buyerId: 'a', claim: claim({ claimId: 'the-order' }) }),
    units_wrong: lineOf({ kind: 'units_wrong', units: [7] }),
  };
  expect(new Set(Object.values(lines)).size).toBe(5);
  const { units_wrong: units, ...others } = lines;
  expect(units).toMatch(/: 7$/);
  expect(Object.values(others).filter(line => !line.includes('the-order'))).toEqual([]);
});
