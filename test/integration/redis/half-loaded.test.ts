import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Pace } from '#core/maintenance/pace.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { insertSale } from '#core/postgres/sales.js';
import { readGenerations } from '#core/redis/registry.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { beforeScript } from '../../support/meanwhile.js';
import { aSale, openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

// A round looks at a quiet sale that is new to it after a time by chance: here after the longest.
beforeEach(() => void jest.spyOn(Math, 'random').mockReturnValue(0.999));
afterEach(() => void jest.restoreAllMocks());

test('a sale whose process died before it was loaded is loaded by the next round', async () => {
  for (let i = 0; i < 5; i += 1) await openTestSale(t);
  const pace = new Pace();
  await reconcileAll(t, pace);
  const sale = aSale();
  await insertSale(t.db, sale);
  const dying = beforeScript(t, 'open-sale', () => Promise.reject(new Error('the process dies')));
  await expect(openSale(dying.redis, sale)).rejects.toThrow('the process dies');

  await reconcileAll(t, pace);

  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ remaining: sale.units });
  expect((await readGenerations(t.redis)).get(sale.id)).toBe(sale.generation);
});
