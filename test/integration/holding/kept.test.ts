import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcile } from '#core/maintenance/reconcile.js';
import { claim } from '#core/redis/claims/claim.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { setStrikes } from '#core/redis/claims/strikes.js';
import { keysOf } from '#core/redis/keys.js';
import { SaleCopying } from '#core/redis/sale/copying.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { settleReceipt } from '#core/steps/settle-receipt.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// Strikes after a loss, a rebuild and a repair.

const t = useStores();

const waitLong = ({ id }: Sale) => t.redis.hset(keysOf(id).sale, 'freeAtMs', 0);
const claimOf = async ({ id }: Sale, buyerId: string) => (await readSnapshot(t.redis, id))?.claims.get(buyerId);
const violations = async ({ id }: Sale) => (await audit(t.db, t.redis, id))?.violations;
const ask = (sale: Sale, buyerId: string) => claim(t.redis, sale.id, [{ buyerId, claimId: crypto.randomUUID() }]);

/** Lets a buyer win a unit and give it up. */
async function strike(sale: Sale, buyerId: string): Promise<Claim> {
  await waitLong(sale);
  const won = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await cancelOrder(t, { saleId: sale.id, ...won });
  return won;
}

/** Opens a sale in which `once` and `twice` have strikes, and `once` has a unit again. */
async function saleWithStrikes(wanted: Partial<Sale> = {}) {
  const sale = await openTestSale(t, { units: 3, unpaidLimit: 2, ...wanted });
  await strike(sale, 'once');
  for (let i = 0; i < 2; i += 1) await strike(sale, 'twice');
  await waitLong(sale);
  const unplaced = await winOne(t, sale, 'once');
  return { sale, unplaced };
}

describe('a rebuild', () => {
  test('of a Redis that lost everything brings the strikes back', async () => {
    const { sale, unplaced } = await saleWithStrikes();
    await placeOrders(t, { saleId: sale.id, claims: [unplaced] });
    await t.redis.flushall();
    await rebuild(t, sale.id);
    expect(await claimOf(sale, 'once')).toMatchObject({ status: 'pending_payment', strikes: 1 });
    expect(await ask(sale, 'twice')).toEqual([{ kind: 'unpaid_limit' }]);
    expect(await violations(sale)).toEqual([]);
  });

  test('keeps the strikes beside a claim that has no order yet', async () => {
    const { sale } = await saleWithStrikes();
    await rebuild(t, sale.id);
    expect(await claimOf(sale, 'once')).toMatchObject({ status: 'queued', strikes: 1 });
    expect(await claimOf(sale, 'twice')).toMatchObject({ status: 'cancelled', strikes: 2 });
  });

  test('keeps those with strikes behind all others on standby, also the next ones', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 9, unpaidLimit: 2 });
    await strike(sale, 'ann');
    await strike(sale, 'bob');
    await winOne(t, sale, 'holder');
    for (const buyerId of ['ann', 'cem']) await ask(sale, buyerId);
    await rebuild(t, sale.id);
    for (const buyerId of ['bob', 'dan']) await ask(sale, buyerId);
    expect((await readSnapshot(t.redis, sale.id))?.standby).toEqual(['cem', 'dan', 'ann', 'bob']);
    expect(await violations(sale)).toEqual([]);
  });

  test('begins the time in which free units are for others', async () => {
    const { sale } = await saleWithStrikes();
    await strike(sale, 'ann');
    await waitLong(sale);
    await rebuild(t, sale.id);
    expect(await ask(sale, 'ann')).toMatchObject([{ kind: 'others_first' }]);
  });
});

describe('reconcile', () => {
  const repairsOf = async ({ id }: Sale) => (await reconcile(t, id))?.repairs;

  test('counts the strikes again that an older version has dropped', async () => {
    const { sale, unplaced } = await saleWithStrikes();
    await t.redis.hset(keysOf(sale.id).claims, 'once', `${unplaced.claimId} ${unplaced.unit} queued - -`);
    expect(await violations(sale)).toEqual([
      expect.stringMatching(/^strikes: the buyer of order .* has 1 .* and 0 in Redis$/),
    ]);
    expect(await repairsOf(sale)).toEqual([
      { kind: 'counted_strikes', claimId: unplaced.claimId, detail: { strikes: 1 } },
    ]);
    expect(await claimOf(sale, 'once')).toMatchObject({ status: 'queued', strikes: 1 });
    expect(await violations(sale)).toEqual([]);
  });

  test('brings back the last claim of a buyer of whom Redis has none', async () => {
    const { sale } = await saleWithStrikes();
    const { claimId } = (await claimOf(sale, 'twice')) ?? {};
    await t.redis.hdel(keysOf(sale.id).claims, 'twice');
    expect(await repairsOf(sale)).toMatchObject([{ kind: 'restored_claim', claimId }]);
    expect(await ask(sale, 'twice')).toEqual([{ kind: 'unpaid_limit' }]);
  });

  test('brings back the claim of a live order with its strikes', async () => {
    const { sale, unplaced } = await saleWithStrikes();
    await placeOrders(t, { saleId: sale.id, claims: [unplaced] });
    await t.redis.hdel(keysOf(sale.id).claims, 'once');
    await t.redis.lpush(keysOf(sale.id).stock, unplaced.unit);
    expect(await repairsOf(sale)).toMatchObject([{ kind: 'restored_claim', claimId: unplaced.claimId }]);
    expect(await claimOf(sale, 'once')).toMatchObject({ status: 'pending_payment', strikes: 1 });
  });

  test('opens no gate before the strikes are right', async () => {
    const { sale } = await saleWithStrikes();
    await t.redis.hdel(keysOf(sale.id).claims, 'twice');
    await setSale(t.redis, sale.id, { runId: 'an-earlier-run' });
    await reconcile(t, sale.id);
    expect(await ask(sale, 'twice')).toEqual([{ kind: 'unpaid_limit' }]);
  });

  test('changes no strikes of a claim that has changed since', async () => {
    const { sale, unplaced } = await saleWithStrikes();
    const one = { buyerId: 'once', claimId: unplaced.claimId, seen: 1, strikes: 0 };
    const others = [
      { ...one, claimId: crypto.randomUUID() },
      { ...one, seen: 0 },
      { ...one, buyerId: 'nobody' },
    ];
    expect(await setStrikes(t.redis, sale.id, [...others, one])).toEqual([false, false, false, true]);
    expect((await claimOf(sale, 'once'))?.strikes).toBeUndefined();
  });
});

describe('a receipt', () => {
  test('brings a lost claim back without the strikes, which reconcile counts again', async () => {
    const { sale, unplaced } = await saleWithStrikes();
    await t.redis.hdel(keysOf(sale.id).claims, 'once');
    await t.redis.zrem(keysOf(sale.id).outbox, 'once');
    await t.redis.lpush(keysOf(sale.id).stock, unplaced.unit);
    expect(await restoreClaim(t.redis, sale.id, { ...unplaced, status: 'queued' })).toBe('restored');
    expect((await claimOf(sale, 'once'))?.strikes).toBeUndefined();
    await reconcile(t, sale.id);
    expect(await claimOf(sale, 'once')).toMatchObject({ status: 'queued', strikes: 1 });
  });

  test('of an order that has ended brings the strikes back with it', async () => {
    const sale = await openTestSale(t, { unpaidLimit: 1 });
    const won = await strike(sale, 'ann');
    await t.redis.hdel(keysOf(sale.id).claims, 'ann');
    await settleReceipt(t, { saleId: sale.id, ...won });
    expect(await claimOf(sale, 'ann')).toMatchObject({ status: 'cancelled', strikes: 1 });
  });
});

test('a buyer who changes while the sale is copied has the strikes afterwards', async () => {
  const sale = await openTestSale(t, { unpaidLimit: 2 });
  await strike(sale, 'ann');
  const copying = await SaleCopying.begin(t.redis, sale.id);
  await strike(sale, 'ann');
  expect(await copying.takeChanged()).toEqual(['ann']);
  await copying.end();
  await rebuild(t, sale.id);
  expect(await claimOf(sale, 'ann')).toMatchObject({ strikes: 2 });
});
