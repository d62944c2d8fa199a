import { expect, test } from '@jest/globals';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../../support/redis/snapshot.js';
import { openTestSale, win } from '../../../support/sales.js';
import { expectTypesChecked, whileFull, writesNothing } from '../../../support/stores/keyspace.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

/** Opens a sold-out sale with buyers b and c on standby. */
async function saleWithStandby(): Promise<Sale> {
  const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
  await win(t, sale, 'a', 'b', 'c');
  return sale;
}

const standbyOf = async (sale: Sale) => (await readSnapshot(t.redis, sale.id))?.standby;

test('a buyer leaves standby once, and the others move up', async () => {
  const sale = await saleWithStandby();
  expect(await leaveStandby(t.redis, sale.id, 'b')).toBe(true);
  expect(await standbyOf(sale)).toEqual(['c']);
  expect(await writesNothing(t.redis, () => leaveStandby(t.redis, sale.id, 'b'))).toBe(false);
});

test('a buyer with a claim is not on standby, and keeps it', async () => {
  const sale = await saleWithStandby();
  expect(await writesNothing(t.redis, () => leaveStandby(t.redis, sale.id, 'a'))).toBe(false);
});

test('an unknown or unverified sale is an error, and stays the same', async () => {
  const sale = await saleWithStandby();
  await setSale(t.redis, sale.id, { runId: 'another-run' });
  await writesNothing(t.redis, () => expect(leaveStandby(t.redis, sale.id, 'b')).rejects.toThrow(NotVerified));
  await writesNothing(t.redis, () => expect(leaveStandby(t.redis, 'nowhere', 'b')).rejects.toThrow('unknown_sale'));
});

test('a key of another type fails the script before its first write', async () => {
  const sale = await saleWithStandby();
  const keys = keysOf(sale.id);
  await expectTypesChecked(t.redis, [keys.sale, keys.standby], () => leaveStandby(t.redis, sale.id, 'b'));
});

test('a buyer leaves standby also while Redis is full', async () => {
  const sale = await saleWithStandby();
  expect(await whileFull(t.redis, () => leaveStandby(t.redis, sale.id, 'b'))).toBe(true);
  expect(await standbyOf(sale)).toEqual(['c']);
});
