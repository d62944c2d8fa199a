import { expect, test } from '@jest/globals';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { storeEntries } from '#core/postgres/draws/entries.js';
import { readStatuses } from '#core/redis/claims/status.js';
import { readUnstored, restoreEntry } from '#core/redis/draw/entries.js';
import { keysOf } from '#core/redis/keys.js';
import { keepEntries } from '#core/steps/line/keep-entries.js';
import { createDraw, join, letOpen, readLine } from '../../support/draws/lines.js';
import { useStores } from '../../support/stores/stores.js';

// Redis may lose an entry before Postgres has it. Its buyer comes back with the receipt.

const t = useStores();

const LATE_FROM = 2 ** 52;

const names = (count: number) => Array.from({ length: count }, (_, i) => `buyer-${i + 1}`);

const ticketOf = async (saleId: string, buyerId: string) =>
  Number(await t.redis.zscore(keysOf(saleId).standby, buyerId));

test('an entry that comes back gets its lot, although the worker that stored it died', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(9));
  await letOpen(t, sale);
  await drawAllLots(t);
  await restoreEntry(t.redis, sale.id, { buyerId: 'lost', number: 10 });
  await storeEntries(t.db, sale.id, await readUnstored(t.redis, sale.id, 10));
  expect(await ticketOf(sale.id, 'lost')).toBeGreaterThanOrEqual(LATE_FROM);
  await keepEntries(t, sale.id);
  expect(await ticketOf(sale.id, 'lost')).toBeLessThan(LATE_FROM);
});

test('a Redis that is lost twice gives no number twice', async () => {
  const sale = await createDraw(t, { units: 1 });
  const numbers: unknown[] = [];
  for (const buyerId of names(3)) {
    await t.redis.flushall();
    await rebuild(t, sale.id);
    numbers.push(...(await join(t, sale, buyerId)).map(outcome => outcome.kind === 'joined' && outcome.entry));
  }
  expect(numbers.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers);
  expect(new Set(numbers).size).toBe(3);
});

test('a rebuild counts the changes of entries from those of Redis, whatever the clock of the worker says', async () => {
  const sale = await createDraw(t, { units: 1 });
  const [known, { sale: key }] = [2 ** 50, keysOf(sale.id)];
  await t.redis.hset(key, 'entryChanges', known, 'entrySeq', known);
  await rebuild(t, sale.id);
  expect((await t.redis.hmget(key, 'entryChanges', 'entrySeq')).map(Number)).toEqual([known, known]);
});

test('rebuilds take no room from those who may join', async () => {
  const sale = await createDraw(t, { units: 1 });
  await t.redis.hset(keysOf(sale.id).sale, 'entrySeq', 50_000_000);
  expect(await join(t, sale, 'ann')).toEqual([{ kind: 'joined', entry: 50_000_001, isBeforeOpening: true }]);
});

test('a buyer who has joined again behind the others gets the lot of the receipt', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(9), 'ann');
  await t.redis.flushall();
  await rebuild(t, sale.id);
  await join(t, sale, ...names(9));
  await letOpen(t, sale);
  await join(t, sale, 'ann');
  expect(await restoreEntry(t.redis, sale.id, { buyerId: 'ann', number: 10 })).toBe(true);
  expect(await ticketOf(sale.id, 'ann')).toBe(10);
  await drawAllLots(t);
  const [{ claim } = {}] = await readStatuses(t.redis, sale.id, ['ann']);
  expect(claim !== undefined || (await ticketOf(sale.id, 'ann')) < LATE_FROM).toBe(true);
  expect(await readLine(t, sale)).toHaveLength(9);
});
