import { expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { readLoadedSale, restock, setSale } from '#core/redis/sale/sale.js';
import { runScript } from '#core/redis/scripts.js';
import { NotVerified } from '#core/rules/errors.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { buyers, openTestSale, win } from '../../support/sales.js';
import { dumpKeys, expectTypesChecked, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { messagesDuring } from '../../support/stores/messages.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('a restock adds the next numbers behind the free units, and widens the standby', async () => {
  const sale = await openTestSale(t, { units: 3, standbyFactor: 2 });
  await win(t, sale, 'a');
  expect(await restock(t.redis, { ...sale, units: 5 })).toBe(2);
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([2, 3, 4, 5]);
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ units: 5, standbyCap: 10 });
});

test('a second call adds nothing', async () => {
  const sale = await openTestSale(t, { units: 3 });
  await restock(t.redis, { ...sale, units: 5 });
  expect(await writesNothing(t.redis, () => restock(t.redis, { ...sale, units: 5 }))).toBe(0);
});

test('two calls at once add the units once', async () => {
  const sale = await openTestSale(t, { units: 3 });
  const more = { ...sale, units: 9_000 };
  const added = await Promise.all([restock(t.redis, more), restock(t.redis, more)]);
  expect(added.reduce((sum, units) => sum + units)).toBe(8_997);
  expect(new Set((await readSnapshot(t.redis, sale.id))?.stock).size).toBe(9_000);
});

test('a smaller number of units removes none', async () => {
  const sale = await openTestSale(t, { units: 3, standbyFactor: 1 });
  expect(await writesNothing(t.redis, () => restock(t.redis, { ...sale, units: 1 }))).toBe(0);
});

test('12,000 units are added in several calls, each unit once', async () => {
  const sale = await openTestSale(t, { units: 1 });
  expect(await restock(t.redis, { ...sale, units: 12_001 })).toBe(12_000);
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual(Array.from({ length: 12_001 }, (_, i) => i + 1));
});

test('one call of the script adds at most 5,000 units', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const { sale: fields, stock } = keysOf(sale.id);
  expect(await runScript(t.redis, 'restock', { keys: [fields, stock], args: [9_000, 0] })).toEqual(['ok', 5_000]);
  expect(await t.redis.llen(stock)).toBe(5_001);
});

test('a sold-out sale sells again', async () => {
  const sale = await openTestSale(t, { units: 1 });
  await win(t, sale, 'a');
  await restock(t.redis, { ...sale, units: 3 });
  expect((await win(t, sale, ...buyers(5))).map(won => won.unit)).toEqual([2, 3]);
});

test('a restock tells every API the free units and the standby cap, as absolute values', async () => {
  const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
  await win(t, sale, 'a');
  const told = await messagesDuring(t.redis, sale.id, () => restock(t.redis, { ...sale, units: 4 }));
  expect(told).toMatchObject([{ free: 3, standbyCap: 8, state: 'open', buyers: [] }]);
});

test('an unknown or unverified sale is an error, and stays the same', async () => {
  const sale = await openTestSale(t);
  await setSale(t.redis, sale.id, { runId: 'another-run' });
  const more = { ...sale, units: 9 };
  await writesNothing(t.redis, () => expect(restock(t.redis, more)).rejects.toThrow(NotVerified));
  const nowhere = { ...more, id: 'nowhere' };
  await writesNothing(t.redis, () => expect(restock(t.redis, nowhere)).rejects.toThrow('unknown_sale'));
});

test('a key of another type fails the script before its first write', async () => {
  const sale = await openTestSale(t);
  const { sale: fields, stock } = keysOf(sale.id);
  await expectTypesChecked(t.redis, [fields, stock], () => restock(t.redis, { ...sale, units: 9 }));
  await expectTypesChecked(t.redis, [stock], () => restock(t.redis, sale));
});

test('a full Redis adds no unit', async () => {
  const sale = await openTestSale(t);
  const before = await dumpKeys(t.redis);
  await whileFull(t.redis, () => expect(restock(t.redis, { ...sale, units: 9 })).rejects.toThrow('OOM'));
  expect(await dumpKeys(t.redis)).toEqual(before);
});

test('a Redis without the script loads it again', async () => {
  const sale = await openTestSale(t, { units: 1 });
  await t.redis.script('FLUSH');
  expect(await restock(t.redis, { ...sale, units: 2 })).toBe(1);
});
