import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcile } from '#core/maintenance/reconcile.js';
import { claim as ask } from '#core/redis/claims/claim.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { keysOf } from '#core/redis/keys.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { settleReceipt } from '#core/steps/settle-receipt.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const strikesOf = async (sale: Sale, buyerId: string) =>
  (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId)?.strikes;
const violationsOf = async (sale: Sale) => (await audit(t.db, t.redis, sale.id))?.violations;

/** Opens a sale in which one order of ann was not paid, one was given up, and one of bob was not paid. */
async function saleWithStruck(wanted: Partial<Sale> = {}): Promise<{ sale: Sale; last: Claim }> {
  const sale = await openTestSale(t, { units: 3, unpaidLimit: 3, ...wanted });
  const [unpaid, bobs] = [await winOne(t, sale, 'ann'), await winOne(t, sale, 'bob')];
  await placeOrders(t, { saleId: sale.id, claims: [unpaid, bobs] });
  await backdateDeadlines(t, [unpaid, bobs]);
  await expireOrders(t);
  await t.redis.hincrby(keysOf(sale.id).sale, 'freeAtMs', -60_000);
  const last = await winOne(t, sale, 'ann');
  await cancelOrder(t, { saleId: sale.id, ...last });
  return { sale, last };
}

const forget = (sale: Sale, ...buyerIds: string[]) => t.redis.hdel(keysOf(sale.id).claims, ...buyerIds);

describe('strikes are kept', () => {
  test('by a rebuild, also of a claim that has no order yet', async () => {
    const { sale } = await saleWithStruck();
    await t.redis.hincrby(keysOf(sale.id).sale, 'freeAtMs', -60_000);
    await winOne(t, sale, 'ann');
    await t.redis.hdel(keysOf(sale.id).claims, 'bob');
    await rebuild(t, sale.id);
    expect([await strikesOf(sale, 'ann'), await strikesOf(sale, 'bob')]).toEqual([2, 1]);
    expect(await violationsOf(sale)).toEqual([]);
  });

  test('by a rebuild, with the line behind all others', async () => {
    const { sale } = await saleWithStruck({ standbyFactor: 2 });
    for (const holder of ['x', 'y', 'z']) await winOne(t, sale, holder);
    const join = (buyerId: string) => ask(t.redis, sale.id, [aClaim({ buyerId })]);
    for (const buyerId of ['bob', 'later']) await join(buyerId);
    await rebuild(t, sale.id);
    for (const buyerId of ['ann', 'last']) await join(buyerId);
    expect((await readSnapshot(t.redis, sale.id))?.standby).toEqual(['later', 'last', 'bob', 'ann']);
    expect(await violationsOf(sale)).toEqual([]);
  });

  test('by Postgres: a number that Redis has lost is found and repaired', async () => {
    const { sale } = await saleWithStruck();
    await forget(sale, 'ann');
    await t.redis.hset(
      keysOf(sale.id).claims,
      'bob',
      String(await t.redis.hget(keysOf(sale.id).claims, 'bob')).replace(/ strikes=1/, ' strikes=7'),
    );
    expect(await violationsOf(sale)).toEqual([
      expect.stringMatching(/ has 2 ends without payment, and Redis says 0$/),
      expect.stringMatching(/ has 1 ends without payment, and Redis says 7$/),
    ]);
    const repairs = (await reconcile(t, sale.id))?.repairs.map(({ kind }) => kind);
    expect(repairs).toEqual(['counted_strikes', 'counted_strikes']);
    expect([await strikesOf(sale, 'ann'), await strikesOf(sale, 'bob')]).toEqual([2, 1]);
    expect(await violationsOf(sale)).toEqual([]);
  });

  test('by a claim that is restored from its receipt', async () => {
    const { sale } = await saleWithStruck();
    const lost = { ...aClaim({ buyerId: 'ann', unit: 3 }), claimId: 'ffffffff-ffff-7fff-bfff-ffffffffffff' };
    expect(await restoreClaim(t.redis, sale.id, { ...lost, status: 'queued' })).toBe('restored');
    expect(await strikesOf(sale, 'ann')).toBe(2);
  });

  test('by a receipt whose claim only Postgres knows', async () => {
    const { sale, last } = await saleWithStruck();
    await forget(sale, 'ann');
    await settleReceipt(t, { saleId: sale.id, ...last });
    expect(await strikesOf(sale, 'ann')).toBe(2);
  });
});

test('a sale without a limit counts nothing', async () => {
  const { sale } = await saleWithStruck({ unpaidLimit: 0 });
  await rebuild(t, sale.id);
  expect(await strikesOf(sale, 'ann')).toBeUndefined();
  expect(await violationsOf(sale)).toEqual([]);
});
