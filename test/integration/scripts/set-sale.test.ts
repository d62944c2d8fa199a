import { expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { carryOver, readLoadedSale, setSale } from '#core/redis/sale/sale.js';
import { runScript } from '#core/redis/scripts.js';
import { openTestSale } from '../../support/sales.js';
import { expectTypesChecked, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('set-sale changes the given fields and no other', async () => {
  const sale = await openTestSale(t);
  const before = await readLoadedSale(t.redis, sale.id);
  expect(await setSale(t.redis, sale.id, { state: 'paused', generation: 2 })).toBe(true);
  expect(await readLoadedSale(t.redis, sale.id)).toEqual({
    ...before,
    state: 'paused',
    generation: 2,
    nowMs: expect.any(Number),
  });
});

test('a second call changes nothing', async () => {
  const sale = await openTestSale(t);
  await setSale(t.redis, sale.id, { state: 'paused' });
  expect(await writesNothing(t.redis, () => setSale(t.redis, sale.id, { state: 'paused' }))).toBe(true);
});

test('a change of one of several fields is a change, and a second call of several changes nothing', async () => {
  const sale = await openTestSale(t);
  const changes = [
    { state: 'paused', generation: 2 },
    { state: 'open', generation: 2 },
    { state: 'open', generation: 3 },
  ] as const;
  for (const change of changes) {
    await setSale(t.redis, sale.id, change);
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject(change);
    await writesNothing(t.redis, () => setSale(t.redis, sale.id, change));
  }
});

test('the reply tells a change, a sale that is not loaded and one of a later generation', async () => {
  const sale = await openTestSale(t);
  const pause = (saleId: string, generation: number) =>
    runScript(t.redis, 'set-sale', { keys: [keysOf(saleId).sale], args: [generation, 'generation', generation] });
  expect(await pause(sale.id, 5)).toBe(1);
  expect(await pause(sale.id, 5)).toBe(1);
  expect(await pause(sale.id, 4)).toBe(2);
  expect(await pause('nowhere', 4)).toBe(0);
});

test('an older change does not undo a newer one', async () => {
  const sale = await openTestSale(t);
  const { generation } = sale;
  await setSale(t.redis, sale.id, { state: 'paused', generation: generation + 1 });
  const late = () => setSale(t.redis, sale.id, { state: 'open', generation }, { generation });
  expect(await writesNothing(t.redis, late)).toBe(true);
  await carryOver(t.redis, { ...sale, state: 'open' });
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ state: 'paused', generation: generation + 1 });
});

test('the latest of several changes at the same time counts', async () => {
  const sale = await openTestSale(t);
  const changes = (['paused', 'open', 'closed'] as const).map((state, i) => ({ ...sale, state, generation: i + 2 }));
  // One connection runs the changes in turn, the latest one first.
  await Promise.all(changes.toReversed().map(change => carryOver(t.redis, change)));
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ state: 'closed', generation: 4 });
});

test('a sale that is not loaded is not created', async () => {
  expect(await writesNothing(t.redis, () => setSale(t.redis, 'nowhere', { state: 'paused' }))).toBe(false);
});

test('an unverified sale can be changed, as set-sale verifies it', async () => {
  const sale = await openTestSale(t);
  const runId = (await readLoadedSale(t.redis, sale.id))?.runId ?? '';
  await setSale(t.redis, sale.id, { runId: 'another-run' });
  expect(await setSale(t.redis, sale.id, { runId })).toBe(true);
  expect((await readLoadedSale(t.redis, sale.id))?.runId).toBe(runId);
});

test('a key of another type fails the script before its first write', async () => {
  const sale = await openTestSale(t);
  await expectTypesChecked(t.redis, [keysOf(sale.id).sale], () => setSale(t.redis, sale.id, { state: 'paused' }));
});

test('a sale in a full Redis can be paused', async () => {
  const sale = await openTestSale(t);
  expect(await whileFull(t.redis, () => setSale(t.redis, sale.id, { state: 'paused' }))).toBe(true);
});

test('a Redis without the script loads it again', async () => {
  const sale = await openTestSale(t);
  await t.redis.script('FLUSH');
  expect(await setSale(t.redis, sale.id, { state: 'paused' })).toBe(true);
});
