import { describe, expect, test } from '@jest/globals';
import { setSale } from '#core/redis/sale/sale.js';
import { withDeadline } from '#core/rules/clock.js';
import type { Sale } from '#core/rules/sale.js';
import { Copying } from '../../../apps/api/mirror/copying.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** It only ends a test that fails. */
const DONE_MS = 10_000;
/** A mirror reads the counts of its sale before the buyers and after them. */
const READINGS = 2;
const doneOf = (copying: Copying) => withDeadline(copying.done, DONE_MS, 'copying');

async function copy({ id }: Sale) {
  const copying = new Copying(t.redis, id);
  copying.begin();
  return doneOf(copying);
}

/** Opens a sale whose only unit `ann` has. */
async function soldOut(wanted: Partial<Sale> = {}): Promise<Sale> {
  const sale = await openTestSale(t, { units: 1, ...wanted });
  expect(await win(t, sale, 'ann')).toHaveLength(1);
  return sale;
}

/** Counts how often Redis counts the claims of a sale during some work. */
async function readingsDuring(work: () => Promise<unknown>): Promise<number> {
  const read = async () => (await readCommandCalls(t.redis)).hlen ?? 0;
  const before = await read();
  await work();
  return (await read()) - before;
}

describe('the copy of a sale', () => {
  test('refuses buyers, but neither those with a claim nor those on standby', async () => {
    const sale = await soldOut({ standbyFactor: 1 });
    await win(t, sale, 'bob');
    const mirror = await copy(sale);
    expect(['ann', 'bob', 'cem'].map(buyerId => mirror?.refusalOf(buyerId))).toEqual([
      undefined,
      undefined,
      'sold_out',
    ]);
  });

  test('is made of a closed sale with units, and of one that still has all of its time but no unit', async () => {
    const closed = await openTestSale(t);
    await setSale(t.redis, closed.id, { state: 'closed' });
    expect((await copy(closed))?.refusalOf('eve')).toBe('closed');
    expect((await copy(await soldOut()))?.refusalOf('eve')).toBe('sold_out');
    expect(await copy(await openTestSale(t))).toBeUndefined();
  });

  test('is read once, however often its reading begins', async () => {
    const sale = await soldOut();
    const copying = new Copying(t.redis, sale.id);
    const readings = await readingsDuring(async () => {
      for (let i = 0; i < 3; i += 1) copying.begin();
      expect(await doneOf(copying)).toBeDefined();
    });
    expect(readings).toBe(READINGS);
  });

  test('is not read at all after the attempt was given up, and not used if it was given up meanwhile', async () => {
    const sale = await soldOut();
    const [early, late] = [new Copying(t.redis, sale.id), new Copying(t.redis, sale.id)];
    const readings = await readingsDuring(async () => {
      early.giveUp();
      early.begin();
      expect(await doneOf(early)).toBeUndefined();
    });
    expect(readings).toBe(0);
    late.begin();
    late.giveUp();
    expect(await doneOf(late)).toBeUndefined();
  });
});
