import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { createSale } from '#core/operator/create-sale.js';
import { overviewOf } from '#core/operator/sale-overview.js';
import { dealt } from '#core/redis/sale/dealing.js';
import { restock } from '#core/redis/sale/sale.js';
import { Units } from '#core/redis/sale/units.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aSale, buyers, openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// The numbers of the units of a sale with a seed are dealt in random order, which a rebuild keeps.

const t = useStores();

const aSeed = () => randomBytes(32).toString('hex');
const stockOf = async (saleId: string) => (await readSnapshot(t.redis, saleId))?.stock ?? [];
const ascending = (units: readonly number[]) => [...units].sort((a, b) => a - b);
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('the first winners get no sorted sequence, and all units are dealt once', async () => {
  const sale = await openTestSale(t, { units: 100, unitSeed: aSeed() });
  const units = (await win(t, sale, ...buyers(60))).map(({ unit }) => unit);
  expect(units).not.toEqual(ascending(units));
  expect(ascending(units)).not.toEqual(numbers(1, 60));
  const others = (await win(t, sale, ...buyers(40, 'other'))).map(({ unit }) => unit);
  expect(ascending([...units, ...others])).toEqual(numbers(1, 100));
});

test('a rebuild deals the units that are left in the same order as before', async () => {
  const sale = await openTestSale(t, { units: 300, unitSeed: aSeed() });
  const claims = await win(t, sale, ...buyers(100));
  await placeOrders(t, { saleId: sale.id, claims });
  const before = await stockOf(sale.id);
  await t.redis.flushall();
  expect(await rebuild(t, sale.id)).toBe(100);
  expect(await stockOf(sale.id)).toEqual(before);
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
});

test('two sales deal their units in different orders, each by its own seed', async () => {
  const seeds = [aSeed(), aSeed()];
  const orders = await Promise.all(
    seeds.map(async unitSeed => stockOf((await openTestSale(t, { units: 200, unitSeed })).id)),
  );
  expect(orders).toEqual(seeds.map(seed => [...dealt(new Units(200), seed)].flat()));
  expect(orders[0]).not.toEqual(orders[1]);
});

test('a restock adds the new units in random order behind the others, each once', async () => {
  const sale = await openTestSale(t, { units: 50, unitSeed: aSeed() });
  const first = await stockOf(sale.id);
  expect(await restock(t.redis, { ...sale, units: 7_000 })).toBe(6_950);
  const stock = await stockOf(sale.id);
  expect(stock.slice(0, 50)).toEqual(first);
  const added = stock.slice(50);
  expect(ascending(added)).toEqual(numbers(51, 7_000));
  for (const part of [added.slice(0, 5_000), added.slice(5_000)]) expect(part).not.toEqual(ascending(part));
});

test('the order of a restock does not depend on when it was made', async () => {
  const unitSeed = aSeed();
  const orderOf = async () => {
    const sale = await openTestSale(t, { units: 5, unitSeed });
    await restock(t.redis, { ...sale, units: 60 });
    return stockOf(sale.id);
  };
  expect(await orderOf()).toEqual(await orderOf());
});

test('the seed is in no overview for the operator', async () => {
  const sale = aSale({ unitSeed: aSeed() });
  await createSale(t, sale);
  expect(JSON.stringify(await overviewOf(t, sale))).not.toContain(sale.unitSeed);
});
