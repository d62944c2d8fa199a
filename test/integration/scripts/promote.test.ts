import { describe, expect, test } from '@jest/globals';
import { PROMOTE_BATCH_MAX, promote } from '#core/redis/claims/release.js';
import { keysOf } from '#core/redis/keys.js';
import { restock, setSale } from '#core/redis/sale/sale.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { buyers, openTestSale, win } from '../../support/sales.js';
import { dumpKeys, expectTypesChecked, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Opens a sale with one sold unit, `waiting` buyers on standby, and `free` units from a restock. */
async function saleWithStandby(waiting: number, free: number): Promise<Sale> {
  const sale = await openTestSale(t, { units: 1, standbyFactor: waiting + 1 });
  await win(t, sale, 'first', ...buyers(waiting, 'waiting'));
  await restock(t.redis, { ...sale, units: 1 + free });
  return sale;
}

describe('promoting', () => {
  test('free units go to the buyers on standby, in their order', async () => {
    const sale = await saleWithStandby(3, 2);
    const promoted = await promote(t.redis, sale.id);
    expect(promoted.map(({ buyerId, unit }) => [buyerId, unit])).toEqual([
      ['waiting1', 2],
      ['waiting2', 3],
    ]);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect([snapshot?.stock, snapshot?.standby]).toEqual([[], ['waiting3']]);
    for (const { buyerId, claimId, unit } of promoted) {
      expect(snapshot?.claims.get(buyerId)).toEqual({ claimId, unit, status: 'queued' });
      expect(snapshot?.outbox.has(buyerId)).toBe(true);
    }
  });

  test('a second call does nothing', async () => {
    const sale = await saleWithStandby(3, 2);
    await promote(t.redis, sale.id);
    expect(await writesNothing(t.redis, () => promote(t.redis, sale.id))).toEqual([]);
  });

  test('units stay in stock when the standby is empty', async () => {
    const sale = await saleWithStandby(1, 3);
    expect(await promote(t.redis, sale.id)).toHaveLength(1);
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([3, 4]);
  });

  test('two calls at once promote each buyer once', async () => {
    const sale = await saleWithStandby(20, 10);
    const promoted = (await Promise.all([promote(t.redis, sale.id), promote(t.redis, sale.id)])).flat();
    expect(promoted.map(({ buyerId }) => buyerId)).toEqual(buyers(10, 'waiting'));
  });

  test('one call promotes at most 125 buyers', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1_000 });
    for (let i = 0; i < 2; i += 1) await win(t, sale, ...buyers(125, `standby${i}-`));
    await restock(t.redis, { ...sale, units: 1_000 });
    expect(await promote(t.redis, sale.id)).toHaveLength(PROMOTE_BATCH_MAX);
    expect(await promote(t.redis, sale.id)).toHaveLength(2 * 125 - 1 - PROMOTE_BATCH_MAX);
  });
});

describe('guards', () => {
  test.each(['paused', 'closed'] as const)('a %s sale promotes no buyer', async state => {
    const sale = await saleWithStandby(2, 2);
    await setSale(t.redis, sale.id, { state });
    expect(await writesNothing(t.redis, () => promote(t.redis, sale.id))).toEqual([]);
  });

  test('an unknown or unverified sale is an error, and stays the same', async () => {
    const sale = await saleWithStandby(2, 2);
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await writesNothing(t.redis, () => expect(promote(t.redis, sale.id)).rejects.toThrow(NotVerified));
    await writesNothing(t.redis, () => expect(promote(t.redis, 'nowhere')).rejects.toThrow('unknown_sale'));
  });

  test('a key of another type fails the script before its first write', async () => {
    const sale = await saleWithStandby(2, 2);
    await expectTypesChecked(t.redis, Object.values(keysOf(sale.id)), () => promote(t.redis, sale.id));
  });

  test('a full Redis promotes no buyer', async () => {
    const sale = await saleWithStandby(2, 2);
    const before = await dumpKeys(t.redis);
    await whileFull(t.redis, () => expect(promote(t.redis, sale.id)).rejects.toThrow('OOM'));
    expect(await dumpKeys(t.redis)).toEqual(before);
  });

  test('a Redis without the script loads it again', async () => {
    const sale = await saleWithStandby(1, 1);
    await t.redis.script('FLUSH');
    expect(await promote(t.redis, sale.id)).toHaveLength(1);
  });
});
