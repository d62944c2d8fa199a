import { describe, expect, test } from '@jest/globals';
import { compare } from '#core/comparison/compare.js';
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
