import { describe, expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import { readSnapshot } from '#core/redis/sale/snapshot.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { aClaim, openTestSale, win, winOne } from '../../support/sales.js';
import { dumpKeys, expectTypesChecked, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const restore = (sale: Sale, claim: ReturnType<typeof aClaim>, status: 'queued' | 'paid' = 'queued') =>
  restoreClaim(t.redis, sale.id, { ...claim, status });

describe('restoring', () => {
  test('a lost claim takes its unit out of stock again and waits to be placed', async () => {
    const sale = await openTestSale(t, { units: 3 });
    const lost = aClaim({ unit: 2 });
    expect(await restore(sale, lost)).toBe('restored');
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.stock).toEqual([1, 3]);
    expect(snapshot?.claims.get(lost.buyerId)).toEqual({ claimId: lost.claimId, unit: 2, status: 'queued' });
    expect(snapshot?.outbox.has(lost.buyerId)).toBe(true);
  });

  test('a claim whose order is known goes around the outbox', async () => {
    const sale = await openTestSale(t);
    const placed = aClaim({ unit: 2 });
    const record = { ...placed, status: 'pending_payment', payByMs: 9_000, reason: 'insufficient_funds' } as const;
    expect(await restoreClaim(t.redis, sale.id, record)).toBe('restored');
    const snapshot = await readSnapshot(t.redis, sale.id);
    const { buyerId: _, ...stored } = record;
    expect(snapshot?.claims.get(placed.buyerId)).toEqual(stored);
    expect(snapshot?.outbox.size).toBe(0);
  });

  test('a second time finds the claim held, and writes nothing', async () => {
    const sale = await openTestSale(t);
    const lost = aClaim();
    await restore(sale, lost);
    expect(await writesNothing(t.redis, () => restore(sale, lost))).toBe('held');
  });

  test('who waits on standby leaves the line with their claim', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    await win(t, sale, 'a', 'b', 'c');
    await t.redis.rpush(keysOf(sale.id).stock, 2);
    expect(await restore(sale, aClaim({ buyerId: 'b', unit: 2 }))).toBe('restored');
    expect((await readSnapshot(t.redis, sale.id))?.standby).toEqual(['c']);
  });

  test('a buyer who has claimed again keeps that claim', async () => {
    const sale = await openTestSale(t);
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => restore(sale, aClaim({ buyerId: 'a', unit: 3 })))).toBe('other_claim');
  });

  test('a claim that ended is not brought back', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    expect(await writesNothing(t.redis, () => restore(sale, won))).toBe('held');
  });

  test('after a claim that ended, another one of the same buyer is restored', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    expect(await restore(sale, aClaim({ buyerId: 'a', unit: 3 }), 'paid')).toBe('restored');
  });

  test.each([1, 4])('a unit that is not in stock (%d) is not given twice', async unit => {
    const sale = await openTestSale(t, { units: 3 });
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => restore(sale, aClaim({ unit })))).toBe('unit_taken');
  });
});

describe('a lost claim that has ended', () => {
  const [older, newer] = ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002'];
  const tell = (sale: Sale, claim: ReturnType<typeof aClaim>) =>
    restoreClaim(t.redis, sale.id, { ...claim, status: 'rejected', reason: 'lost' });

  test('is told of and takes no unit, also in a sale that has none left', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const claim = aClaim();
    const before = await readSnapshot(t.redis, sale.id);
    expect(await tell(sale, claim)).toBe('restored');
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get(claim.buyerId)).toMatchObject({ status: 'rejected', reason: 'lost' });
    expect([snapshot?.stock, snapshot?.outbox.size]).toEqual([before?.stock, 0]);
    expect(await writesNothing(t.redis, () => tell(sale, claim))).toBe('held');
  });

  test('is not told of to a buyer who holds another, or whose later one has ended', async () => {
    const sale = await openTestSale(t);
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => tell(sale, aClaim({ buyerId: 'a', unit: 3 })))).toBe('other_claim');
    expect(await tell(sale, aClaim({ buyerId: 'b', claimId: newer }))).toBe('restored');
    const late = aClaim({ buyerId: 'b', claimId: older });
    expect(await writesNothing(t.redis, () => tell(sale, late))).toBe('other_claim');
  });

  test('gives way to a later one, and leaves a place in the line alone', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
    await win(t, sale, 'a', 'b');
    for (const claimId of [older, newer]) await tell(sale, aClaim({ buyerId: 'b', claimId }));
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('b')?.claimId).toBe(newer);
    expect(snapshot?.standby).toEqual(['b']);
  });
});

describe('guards', () => {
  test('a sale that is unknown or unverified is left alone, and that is an error', async () => {
    const sale = await openTestSale(t);
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await writesNothing(t.redis, () => expect(restore(sale, aClaim())).rejects.toThrow(NotVerified));
    const nowhere = { ...sale, id: 'nowhere' };
    await writesNothing(t.redis, () => expect(restore(nowhere, aClaim())).rejects.toThrow('unknown_sale'));
  });

  test('a key of another type fails before the first write', async () => {
    const sale = await openTestSale(t, { standbyFactor: 1 });
    const lost = aClaim();
    await expectTypesChecked(t.redis, Object.values(keysOf(sale.id)), () => restore(sale, lost));
  });

  test('a full Redis restores nothing, rather than a half', async () => {
    const sale = await openTestSale(t);
    const before = await dumpKeys(t.redis);
    await whileFull(t.redis, () => expect(restore(sale, aClaim())).rejects.toThrow('OOM'));
    expect(await dumpKeys(t.redis)).toEqual(before);
  });

  test('a Redis that forgot the script gets it again', async () => {
    const sale = await openTestSale(t);
    await t.redis.script('FLUSH');
    expect(await restore(sale, aClaim())).toBe('restored');
  });
});
