import { describe, expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, openTestSale, win, winOne } from '../../support/sales.js';
import { dumpKeys, expectTypesChecked, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const restore = (sale: Sale, claim: ReturnType<typeof aClaim>, status: 'queued' | 'paid' = 'queued') =>
  restoreClaim(t.redis, sale.id, { ...claim, status });

describe('restoring', () => {
  test('a restored claim takes its unit out of stock and enters the outbox', async () => {
    const sale = await openTestSale(t, { units: 3 });
    const lost = aClaim({ unit: 2 });
    expect(await restore(sale, lost)).toBe('restored');
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.stock).toEqual([1, 3]);
    expect(snapshot?.claims.get(lost.buyerId)).toEqual({ claimId: lost.claimId, unit: 2, status: 'queued' });
    expect(snapshot?.outbox.has(lost.buyerId)).toBe(true);
  });

  test('a restored claim with an order does not enter the outbox', async () => {
    const sale = await openTestSale(t);
    const placed = aClaim({ unit: 2 });
    const record = { ...placed, status: 'pending_payment', payByMs: 9_000, reason: 'insufficient_funds' } as const;
    expect(await restoreClaim(t.redis, sale.id, record)).toBe('restored');
    const snapshot = await readSnapshot(t.redis, sale.id);
    const { buyerId: _, ...stored } = record;
    expect(snapshot?.claims.get(placed.buyerId)).toEqual(stored);
    expect(snapshot?.outbox.size).toBe(0);
  });

  test('a second call finds the claim and writes nothing', async () => {
    const sale = await openTestSale(t);
    const lost = aClaim();
    await restore(sale, lost);
    expect(await writesNothing(t.redis, () => restore(sale, lost))).toBe('held');
  });

  test('a buyer on standby leaves it with the restored claim', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    await win(t, sale, 'a', 'b', 'c');
    await t.redis.rpush(keysOf(sale.id).stock, 2);
    expect(await restore(sale, aClaim({ buyerId: 'b', unit: 2 }))).toBe('restored');
    expect((await readSnapshot(t.redis, sale.id))?.standby).toEqual(['c']);
  });

  test('a buyer who has claimed again keeps the new claim', async () => {
    const sale = await openTestSale(t);
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => restore(sale, aClaim({ buyerId: 'a', unit: 3 })))).toBe('other_claim');
  });

  test('a claim that has ended stays ended', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    expect(await writesNothing(t.redis, () => restore(sale, won))).toBe('held');
  });

  test('another claim of the same buyer is restored after one has ended', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    expect(await restore(sale, aClaim({ buyerId: 'a', unit: 3 }), 'paid')).toBe('restored');
  });

  test('a live claim is restored also when a later claim of its buyer has ended', async () => {
    const sale = await openTestSale(t);
    const [older, newer] = ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002'];
    const ended = { ...aClaim({ buyerId: 'a', claimId: newer }), status: 'rejected', reason: 'lost' } as const;
    expect(await restoreClaim(t.redis, sale.id, ended)).toBe('restored');
    expect(await restore(sale, aClaim({ buyerId: 'a', claimId: older, unit: 2 }))).toBe('restored');
  });

  test.each([1, 4])('a claim of a unit that is not in stock (%d) is not restored', async unit => {
    const sale = await openTestSale(t, { units: 3 });
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => restore(sale, aClaim({ unit })))).toBe('unit_taken');
  });
});

describe('a lost claim that has ended', () => {
  const [older, newer] = ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002'];
  const restoreLost = (sale: Sale, claim: ReturnType<typeof aClaim>) =>
    restoreClaim(t.redis, sale.id, { ...claim, status: 'rejected', reason: 'lost' });

  test('a lost claim is recorded as rejected and takes no unit, also in a sold-out sale', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const claim = aClaim();
    const before = await readSnapshot(t.redis, sale.id);
    expect(await restoreLost(sale, claim)).toBe('restored');
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get(claim.buyerId)).toMatchObject({ status: 'rejected', reason: 'lost' });
    expect([snapshot?.stock, snapshot?.outbox.size]).toEqual([before?.stock, 0]);
    expect(await writesNothing(t.redis, () => restoreLost(sale, claim))).toBe('held');
  });

  test('a lost claim does not replace a live claim or a later one', async () => {
    const sale = await openTestSale(t);
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => restoreLost(sale, aClaim({ buyerId: 'a', unit: 3 })))).toBe(
      'other_claim',
    );
    expect(await restoreLost(sale, aClaim({ buyerId: 'b', claimId: newer }))).toBe('restored');
    const late = aClaim({ buyerId: 'b', claimId: older });
    expect(await writesNothing(t.redis, () => restoreLost(sale, late))).toBe('other_claim');
  });

  test('a later lost claim replaces an earlier one, and the buyer stays on standby', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
    await win(t, sale, 'a', 'b');
    for (const claimId of [older, newer]) await restoreLost(sale, aClaim({ buyerId: 'b', claimId }));
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('b')?.claimId).toBe(newer);
    expect(snapshot?.standby).toEqual(['b']);
  });
});

describe('in a sale with purchase rules', () => {
  const lockOf = (buyerId: string) => t.redis.get(`dropline:purchase:{${buyerId}}`);

  test('a restored claim takes the lock of its buyer again, and a paid one needs none', async () => {
    const sale = await openTestSale(t, { onePurchaseAtATime: true });
    const [queued, paid] = [aClaim({ unit: 1 }), aClaim({ unit: 2 })];
    await restore(sale, queued);
    await restore(sale, paid, 'paid');
    expect([await lockOf(queued.buyerId), await lockOf(paid.buyerId)]).toEqual([queued.claimId, null]);
  });

  test('a claim restored as ended releases the lock', async () => {
    const sale = await openTestSale(t, { onePurchaseAtATime: true });
    const lost = aClaim();
    await t.redis.set(`dropline:purchase:{${lost.buyerId}}`, lost.claimId);
    await restoreClaim(t.redis, sale.id, { ...lost, status: 'rejected', reason: 'lost' });
    expect(await lockOf(lost.buyerId)).toBeNull();
  });
});

describe('guards', () => {
  test('an unknown or unverified sale is an error, and stays the same', async () => {
    const sale = await openTestSale(t);
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await writesNothing(t.redis, () => expect(restore(sale, aClaim())).rejects.toThrow(NotVerified));
    const nowhere = { ...sale, id: 'nowhere' };
    await writesNothing(t.redis, () => expect(restore(nowhere, aClaim())).rejects.toThrow('unknown_sale'));
  });

  test('a key of another type fails the script before its first write', async () => {
    const sale = await openTestSale(t, { standbyFactor: 1 });
    const lost = aClaim();
    await expectTypesChecked(t.redis, Object.values(keysOf(sale.id)), () => restore(sale, lost));
  });

  test('a full Redis restores no claim', async () => {
    const sale = await openTestSale(t);
    const before = await dumpKeys(t.redis);
    await whileFull(t.redis, () => expect(restore(sale, aClaim())).rejects.toThrow('OOM'));
    expect(await dumpKeys(t.redis)).toEqual(before);
  });

  test('a Redis without the script loads it again', async () => {
    const sale = await openTestSale(t);
    await t.redis.script('FLUSH');
    expect(await restore(sale, aClaim())).toBe('restored');
  });
});
