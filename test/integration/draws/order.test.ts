import { expect, test } from '@jest/globals';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import { closeDraw } from '#core/postgres/draws/draws.js';
import { storeEntries } from '#core/postgres/draws/entries.js';
import { promote } from '#core/redis/claims/release.js';
import { keysOf } from '#core/redis/keys.js';
import { createDraw, join, letOpen } from '../../support/draws/lines.js';
import { eventually } from '../../support/eventually.js';
import { useStores } from '../../support/stores/stores.js';

// The moments at which an order could go wrong: before it is made, and while the list is closed.

const t = useStores();

const LATE_FROM = 2 ** 52;

test('no unit is given before the order is made', async () => {
  const sale = await createDraw(t, { units: 2 });
  await join(t, sale, 'ann', 'ben');
  await letOpen(t, sale);
  expect(await promote(t.redis, sale.id)).toEqual([]);
  await drawAllLots(t);
  expect(Object.keys(await t.redis.hgetall(keysOf(sale.id).claims)).sort()).toEqual(['ann', 'ben']);
});

test('a buyer who comes after the opening gets a ticket above every lot', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, 'ann', 'ben', 'cem');
  await letOpen(t, sale);
  await join(t, sale, 'late');
  await drawAllLots(t);
  await join(t, sale, 'later');
  const ticketOf = async (buyerId: string) => Number(await t.redis.zscore(keysOf(sale.id).standby, buyerId));
  expect(await ticketOf('late')).toBeGreaterThan(LATE_FROM);
  expect(await ticketOf('later')).toBeGreaterThan(await ticketOf('late'));
});

test('the list is closed only before or after entries are stored', async () => {
  const sale = await createDraw(t, { units: 1 });
  const entry = { number: 1, buyerId: 'ann', change: 1, isWaiting: true };
  let closing: Promise<void> | undefined;
  const blocked = () =>
    t.db.$queryRaw<
      object[]
    >`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%closed_at = clock%'
      AND datname = current_database()`;
  await t.db.$transaction(
    async transaction => {
      await storeEntries(transaction as typeof t.db, sale.id, [entry]);
      closing = closeDraw(t.db, sale.id);
      await eventually(async () => expect(await blocked()).toHaveLength(1));
    },
    { timeout: 60_000 },
  );
  await closing;
  expect(await t.db.entry.findMany({ where: { saleId: sale.id } })).toMatchObject([{ buyerId: 'ann', isIn: true }]);
  await storeEntries(t.db, sale.id, [{ number: 2, buyerId: 'ben', change: 2, isWaiting: true }]);
  expect(await t.db.entry.count({ where: { saleId: sale.id, isIn: true } })).toBe(1);
});
