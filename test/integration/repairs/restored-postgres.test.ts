import { expect, test } from '@jest/globals';
import type { Pace } from '#core/maintenance/pace.js';
import { reconcile, reconcileAll } from '#core/maintenance/reconcile.js';
import { updateSale } from '#core/postgres/sales.js';
import { readMarked } from '#core/redis/marks.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** The pace of rounds in which no quiet sale is due. */
const BY_CHANGE: Pick<Pace, 'isDue' | 'isWaitedFor' | 'compared'> = {
  isDue: (_, { isChanged }) => isChanged,
  isWaitedFor: () => false,
  compared: () => undefined,
};

test('the next round notices that Postgres came back from a copy, and Redis follows the copy', async () => {
  const sale = await openTestSale(t);
  await updateSale(t.db, sale.id, { state: 'paused' });
  for (let i = 0; i < 2; i += 1) await reconcile(t, sale.id);
  expect(await readMarked(t.redis, 'changed')).toEqual([]);
  await t.db.sale.update({ where: { id: sale.id }, data: { state: 'open', generation: sale.generation } });
  await reconcileAll(t, BY_CHANGE as Pace);
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ state: 'open' });
});
