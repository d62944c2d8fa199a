import { beforeAll, expect, test } from '@jest/globals';
import { markRegistryWhole } from '#core/redis/registry.js';
import { readRunId, setSale } from '#core/redis/sale/sale.js';
import { type RecentSale, Sales } from '../../../apps/api/mirror/sales.js';
import { eventually } from '../../support/eventually.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// The API remembers sales for a second.

const t = useStores();

/** The API remembers this many sales. */
const SALES_MAX = 1_000;

beforeAll(async () => {
  await markRegistryWhole(t.redis, await readRunId(t.redis));
});

/** How often a sale was read from Redis in this file. */
const countReads = async () => (await readCommandCalls(t.redis)).hgetall ?? 0;

/** Finds a sale that is known right afterwards. On a busy machine one read can use up the second. */
const findKnown = (sales: Sales, id: string): Promise<RecentSale> =>
  eventually(async () => {
    const sale = await sales.find(id);
    expect(sales.known(id)).toBe(sale);
    return sale;
  });

test('concurrent callers share one read', async () => {
  const { id } = await openTestSale(t);
  const sales = new Sales(t.redis);
  const before = await countReads();
  const reading = [sales.find(id), sales.find(id), sales.find(id)];
  expect(sales.known(id)).toBeUndefined();
  expect(new Set(await Promise.all(reading)).size).toBe(1);
  expect(await countReads()).toBe(before + 1);
});

test('a sale that was read is known at once until it is a second old, then read again', async () => {
  const { id } = await openTestSale(t);
  const sales = new Sales(t.redis);
  const sale = await findKnown(sales, id);
  await eventually(() => expect(sales.known(id)).toBeUndefined());
  expect(await sales.find(id)).not.toBe(sale);
});

test('a sale forgotten during its read still answers that caller, and is read again for the next', async () => {
  const { id } = await openTestSale(t);
  const sales = new Sales(t.redis);
  const reading = sales.find(id);
  sales.forget();
  const sale = await reading;
  expect(sale.id).toBe(id);
  expect(sales.known(id)).toBeUndefined();
  expect(await sales.find(id)).not.toBe(sale);
});

test('a failed read is not kept', async () => {
  const { id } = await openTestSale(t);
  const sales = new Sales(t.redis);
  await setSale(t.redis, id, { runId: '' });
  await expect(Promise.all([sales.find(id), sales.find(id)])).rejects.toThrow('is not verified');
  await setSale(t.redis, id, { runId: await readRunId(t.redis) });
  expect(await sales.find(id)).toMatchObject({ id });
});

test('an id that no sale has is remembered, too, and never known as a sale', async () => {
  const sales = new Sales(t.redis);
  await eventually(async () => {
    const before = await countReads();
    await expect(sales.find('made-up')).rejects.toMatchObject({ code: 'unknown_sale' });
    await expect(sales.find('made-up')).rejects.toMatchObject({ code: 'unknown_sale' });
    expect(await countReads()).toBeLessThanOrEqual(before + 1);
  });
  expect(sales.known('made-up')).toBeUndefined();
});

test('made-up ids push out the oldest sale, so memory is bounded', async () => {
  const { id } = await openTestSale(t);
  const sales = new Sales(t.redis);
  await findKnown(sales, id);
  const madeUp = Array.from({ length: SALES_MAX }, (_, i) => sales.find(`made-up-${i}`));
  expect(sales.known(id)).toBeUndefined();
  await Promise.allSettled(madeUp);
});

/** Asks for a sale by a callback. */
const ask = (sales: Sales, id: string) =>
  new Promise((resolve, reject) => sales.ask(id, (sale, error) => (sale ? resolve(sale) : reject(error))));

test('those who ask by a callback share one read, and get a known sale at once', async () => {
  const { id } = await openTestSale(t);
  const sales = new Sales(t.redis);
  const before = await countReads();
  const [first, second] = await Promise.all([ask(sales, id), ask(sales, id)]);
  expect(first).toBe(second);
  expect(await countReads()).toBe(before + 1);
  const known = await findKnown(sales, id);
  let got: unknown;
  sales.ask(id, sale => {
    got = sale;
  });
  expect(got).toBe(known);
});

test('those who ask after a sale was forgotten get none whose read had begun before', async () => {
  const { id } = await openTestSale(t);
  const sales = new Sales(t.redis);
  const before = ask(sales, id);
  sales.forget();
  expect(await ask(sales, id)).not.toBe(await before);
});

test('all who ask for a sale that does not exist get the error', async () => {
  const sales = new Sales(t.redis);
  const asked = [ask(sales, 'nowhere'), ask(sales, 'nowhere')];
  for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected');
});
