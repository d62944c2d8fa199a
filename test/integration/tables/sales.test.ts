import { describe, expect, test } from '@jest/globals';
import {
  hasLeftRedis,
  insertSale,
  KEEP_DAYS,
  overtakeGeneration,
  readLongOver,
  readRecentSales,
  readSale,
  readSales,
  updateSale,
} from '#core/postgres/sales.js';
import type { Sale } from '#core/rules/sale.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { aSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Stores a sale, in Postgres alone. */
async function store(wanted: Partial<Sale> = {}): Promise<Sale> {
  const sale = aSale(wanted);
  await insertSale(t.db, sale);
  return sale;
}

test('a sale that exists stays as it is when it is created again', async () => {
  const sale = await store({ units: 3 });
  expect(await insertSale(t.db, { ...sale, units: 4, title: 'Another' })).toBe(false);
  expect(await readSale(t.db, sale.id)).toEqual({ ...sale, state: 'open', generation: 1 });
});

describe('a change of a sale', () => {
  test('raises the generation by one', async () => {
    const { id } = await store({ units: 3 });
    expect(await updateSale(t.db, id, { addUnits: 2 })).toBe(true);
    expect(await updateSale(t.db, id, { state: 'paused' })).toBe(true);
    expect(await readSale(t.db, id)).toMatchObject({ units: 5, state: 'paused', generation: 3 });
  });

  test('of the units is made once for one generation that the operator has read', async () => {
    const { id } = await store({ units: 3 });
    const adding = () => updateSale(t.db, id, { addUnits: 2, generation: 1 });
    expect(await Promise.all([adding(), adding(), adding()])).toEqual(expect.arrayContaining([true, false, false]));
    expect(await readSale(t.db, id)).toMatchObject({ units: 5, generation: 2 });
    expect(await updateSale(t.db, id, { addUnits: 1 })).toBe(true);
  });

  test('of the units counts beside another one that is made at the same time', async () => {
    const { id } = await store({ units: 3 });
    const adding = (addUnits: number) => () => updateSale(t.db, id, { addUnits });
    const added = await whileHeld(t.db, {
      hold: tx => tx.$queryRaw`SELECT FROM sales WHERE id = ${id} FOR UPDATE`,
      calls: [adding(2), adding(5)],
      waiting: '%UPDATE%',
      meanwhile: tx => tx.$executeRaw`UPDATE sales SET units = units + 10 WHERE id = ${id}`,
    });
    expect(added).toEqual([true, true]);
    expect(await readSale(t.db, id)).toMatchObject({ units: 20, generation: 3 });
  });

  test('is refused once the sale is closed, and closing again is', async () => {
    const { id } = await store();
    expect(await updateSale(t.db, id, { state: 'closed' })).toBe(true);
    const changes = [{ state: 'open' }, { state: 'paused' }, { state: 'closed' }, { addUnits: 1 }] as const;
    for (const change of changes) expect(await updateSale(t.db, id, change)).toBe(false);
    expect(await readSale(t.db, id)).toMatchObject({ state: 'closed', units: 3, generation: 2 });
  });

  test('concerns no other sale', async () => {
    const [changed, other] = [await store(), await store()];
    await updateSale(t.db, changed.id, { state: 'paused' });
    await overtakeGeneration(t.db, changed.id, 9);
    expect(await readSale(t.db, other.id)).toMatchObject({ state: 'open', generation: 1 });
    expect(await updateSale(t.db, 'none', { state: 'paused' })).toBe(false);
  });
});

describe('a generation of Redis', () => {
  test('that is later is overtaken, and an earlier or the same one is not', async () => {
    const { id } = await store();
    await overtakeGeneration(t.db, id, 1);
    await overtakeGeneration(t.db, id, 0);
    expect((await readSale(t.db, id))?.generation).toBe(1);
    await overtakeGeneration(t.db, id, 5);
    expect((await readSale(t.db, id))?.generation).toBe(6);
    await overtakeGeneration(t.db, id, 5);
    expect((await readSale(t.db, id))?.generation).toBe(6);
  });
});

describe('the time in Redis', () => {
  /** A window that ended some days ago. */
  const ended = (daysAgo: number) => ({
    opensAtMs: Date.now() - daysAgo * DAY_MS - HOUR_MS,
    closesAtMs: Date.now() - daysAgo * DAY_MS,
  });

  test('ends seven days after the last deadline, and for no sale before', async () => {
    const minute = { payWithinSeconds: 60 };
    const kept = await store({ ...ended(KEEP_DAYS - 0.01), ...minute });
    const over = await store({ ...ended(KEEP_DAYS + 0.01), ...minute });
    const slow = await store({ ...ended(KEEP_DAYS + 0.01), payWithinSeconds: DAY_MS / 1_000 });
    const ids = [kept.id, over.id, slow.id, 'none'];
    expect(await readLongOver(t.db, ids)).toEqual([over.id]);
    expect(await readLongOver(t.db, [kept.id])).toEqual([]);
    expect(await Promise.all(ids.map(id => hasLeftRedis(t.db, id)))).toEqual([false, true, false, false]);
    const recent = (await readRecentSales(t.db)).map(({ id }) => id);
    expect(recent).toEqual(expect.arrayContaining([kept.id, slow.id]));
    expect(recent).not.toContain(over.id);
  });
});

test('sales are read newest first, as many as wanted', async () => {
  const stored: string[] = [];
  for (let i = 0; i < 3; i += 1) stored.unshift((await store()).id);
  await t.db.$executeRaw`UPDATE sales SET created_at = clock_timestamp() + interval '1 hour'
    + array_position(${[...stored].reverse()}::text[], id) * interval '1 second' WHERE id = ANY(${stored})`;
  const idsOf = (sales: Pick<Sale, 'id'>[]) => sales.map(({ id }) => id);
  expect(idsOf(await readSales(t.db, 2))).toEqual(stored.slice(0, 2));
  expect(idsOf(await readSales(t.db)).slice(0, 3)).toEqual(stored);
  expect(idsOf(await readRecentSales(t.db)).slice(0, 3)).toEqual(stored);
  expect((await readSales(t.db)).length).toBe(await t.db.sale.count());
});
