import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { changeSale } from '#core/operator/change-sale.js';
import { keysOf } from '#core/redis/keys.js';
import { SaleCopying } from '#core/redis/sale/copying.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// A rebuild copies a sale while it sells. Its new content must have the later changes, too.

const t = useStores();

const violationsOf = async (sale: Sale) => (await audit(t.db, t.redis, sale.id))?.violations;
const claimOf = (sale: Sale, buyerId: string) => t.redis.hget(keysOf(sale.id).claims, buyerId);
/** The temporary keys of a sale. */
const tracesOf = (sale: Sale) => t.redis.keys(`*${sale.id}:*:*`);

/** Rebuilds a sale. `change` happens after everything was copied, before the gate is shut. */
const rebuildDuring = (sale: Sale, change: () => Promise<unknown>) =>
  rebuild(
    beforeScript(t, 'shut-gate', () => change()),
    sale.id,
  );

describe('a change after the sale was copied is in the new content', () => {
  test('a claim, from a stock with hundreds of units, too', async () => {
    for (const units of [3, 1_000]) {
      const sale = await openTestSale(t, { units });
      let unit = 0;
      const change = async () => {
        unit = (await winOne(t, sale, 'ann')).unit;
      };
      expect(await rebuildDuring(sale, change)).toBe(1);
      expect((await claimOf(sale, 'ann'))?.split(' ')[1]).toBe(String(unit));
      expect(await t.redis.zscore(keysOf(sale.id).outbox, 'ann')).not.toBeNull();
      expect(await violationsOf(sale)).toEqual([]);
    }
  });

  test('an order that was placed', async () => {
    const sale = await openTestSale(t);
    const claim = await winOne(t, sale, 'ann');
    await rebuildDuring(sale, () => placeOrders(t, { saleId: sale.id, claims: [claim] }));
    expect(await claimOf(sale, 'ann')).toContain('pending_payment');
    expect(await t.redis.zcard(keysOf(sale.id).outbox)).toBe(0);
    expect(await violationsOf(sale)).toEqual([]);
  });

  test('a unit that changed hands, and a buyer who has left standby', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 3 });
    const claim = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    await win(t, sale, 'bea', 'cem');
    await rebuildDuring(sale, async () => {
      await cancelOrder(t, { saleId: sale.id, ...claim });
      await win(t, sale, 'dan');
    });
    expect(await claimOf(sale, 'ann')).toContain('cancelled');
    expect(await claimOf(sale, 'bea')).toContain('queued');
    expect(await t.redis.zrange(keysOf(sale.id).standby, '0', '-1')).toEqual(['cem', 'dan']);
    expect(await t.redis.llen(keysOf(sale.id).stock)).toBe(0);
    expect(await violationsOf(sale)).toEqual([]);
  });

  test('units of a restock', async () => {
    const sale = await openTestSale(t, { units: 1 });
    await rebuildDuring(sale, () => changeSale(t, sale.id, { addUnits: 2 }));
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ units: 3, remaining: 3 });
    expect(await violationsOf(sale)).toEqual([]);
  });
});

test('a withdrawn unit stays out of stock', async () => {
  const sale = await openTestSale(t);
  const claim = await winOne(t, sale, 'ann');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.db.withdrawnUnit.create({ data: { saleId: sale.id, unit: claim.unit, orderId: claim.claimId } });
  await rebuild(t, sale.id);
  expect(await t.redis.lrange(keysOf(sale.id).stock, 0, -1)).toEqual(['2', '3']);
  expect(await violationsOf(sale)).toEqual([]);
});

test('while a sale is copied it sells', async () => {
  const sale = await openTestSale(t, { units: 2 });
  const copying = await SaleCopying.begin(t.redis, sale.id);
  expect(copying.kind).toBe('open');
  expect((await winOne(t, sale, 'ann')).unit).toBe(1);
  expect(await copying.shut()).toEqual(['ann']);
  expect(await win(t, sale, 'bea')).toEqual([]);
  await copying.reopen();
  expect((await winOne(t, sale, 'bea')).unit).toBe(2);
});

describe('a rebuild that cannot finish leaves the sale as it was, and open', () => {
  test.each(['shut-gate', 'open-sale'] as const)('if it fails before %s', async script => {
    const sale = await openTestSale(t, { units: 2 });
    await winOne(t, sale, 'ann');
    const failing = beforeScript(t, script, () => Promise.reject(new Error('Postgres is away')));
    await expect(rebuild(failing, sale.id)).rejects.toThrow('Postgres is away');
    expect((await winOne(t, sale, 'bea')).unit).toBe(2);
    expect(await tracesOf(sale)).toEqual([]);
    expect(await t.redis.hget(keysOf(sale.id).sale, 'copying')).toBeNull();
  });

  test('if another one has begun since', async () => {
    const sale = await openTestSale(t, { units: 2 });
    const first = await SaleCopying.begin(t.redis, sale.id);
    const second = await SaleCopying.begin(t.redis, sale.id);
    await winOne(t, sale, 'ann');
    expect([await first.shut(), await second.shut()]).toEqual(['superseded', ['ann']]);
  });

  test('if the note of the changed buyers is gone', async () => {
    const sale = await openTestSale(t, { units: 2 });
    const copying = await SaleCopying.begin(t.redis, sale.id);
    await copying.end();
    expect(await copying.shut()).toBe('superseded');
    // The next change ends the note for good, as a key without an expiry would stay forever.
    await winOne(t, sale, 'ann');
    expect(await t.redis.hget(keysOf(sale.id).sale, 'copying')).toBeNull();
    expect(await tracesOf(sale)).toEqual([]);
  });
});

test('a change of an earlier version, which notes nothing, is in the new content', async () => {
  const sale = await openTestSale(t);
  const { sale: key, stock, claims, outbox } = keysOf(sale.id);
  let changes = 0;
  const change = async () => {
    changes += 1;
    if (changes > 1) return;
    const unit = await t.redis.lpop(stock);
    await t.redis.hset(claims, 'ann', `01a22d4c-c2da-74e0-951e-023bfaed65c7 ${unit} queued - -`);
    await t.redis.zadd(outbox, 1, 'ann');
    await t.redis.hincrby(key, 'version', 1);
  };
  expect(await rebuildDuring(sale, change)).toBe(1);
  expect(await claimOf(sale, 'ann')).toContain('queued');
  expect(await t.redis.llen(stock)).toBe(2);
  expect((await winOne(t, sale, 'bea')).unit).toBe(2);
});

test('the note of changed buyers expires', async () => {
  const sale = await openTestSale(t);
  await SaleCopying.begin(t.redis, sale.id);
  await winOne(t, sale, 'ann');
  const [note = ''] = await t.redis.keys(`${keysOf(sale.id).sale}:rebuild-*`);
  expect(await t.redis.ttl(note)).toBeGreaterThan(0);
});
