import { expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { Copying } from '../../../apps/api/mirror/copying.js';
import { beforeScript } from '../../support/meanwhile.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('a copy that has read a change refuses nobody before the message of the change arrives', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const claim = await winOne(t, sale, 'ann');
  const end = () => release(t.redis, sale.id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
  const copying = new Copying(beforeScript(t, 'hscan', end).redis, sale.id);
  copying.begin();
  const mirror = await copying.done;
  // The claim has ended in the copy, and the copy does not know of the free unit yet.
  expect(mirror).toBeDefined();
  expect(mirror?.refusalOf('ann')).toBeUndefined();
});
