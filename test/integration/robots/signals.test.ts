import { expect, test } from '@jest/globals';
import { readSignals } from '#core/operator/signals.js';
import { insertOrders } from '#core/postgres/orders/insert-orders.js';
import type { Claim } from '#core/rules/claim.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { addSignals } from '../../../apps/cli/commands/sale/signals.js';
import { aClaim, openTestSale } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';
import { printedBy } from '../values/printed-by.js';

// The orders of a sale show who holds units without paying.

const t = useStores();

let unit = 0;

/** Places an order of a buyer, whose token has named a group. */
async function place(saleId: string, buyerId: string, group?: string): Promise<Claim> {
  unit += 1;
  const claim = aClaim({ buyerId, unit });
  await insertOrders(t.db, saleId, [claim]);
  if (group !== undefined) {
    await t.db
      .$executeRaw`UPDATE orders SET buyer_group = ${group}, version = version + 1 WHERE id = ${claim.claimId}::uuid`;
  }
  return claim;
}

async function expire(saleId: string, buyerId: string, { times = 1, group }: { times?: number; group?: string } = {}) {
  for (let i = 0; i < times; i += 1) {
    await backdateDeadlines(t, [await place(saleId, buyerId, group)]);
    await expireOrders(t);
  }
}

async function giveUp(saleId: string, buyerId: string): Promise<void> {
  await cancelOrder(t, { saleId, ...(await place(saleId, buyerId)) });
}

const openSale = async () => {
  unit = 0;
  return (await openTestSale(t, { units: 10_000 })).id;
};

test('a sale without ends and groups has no signals', async () => {
  const saleId = await openSale();
  await place(saleId, 'ann');
  expect(await readSignals(t.db, saleId, 5)).toEqual({
    saleId,
    unpaid: 0,
    gaveUp: 0,
    buyersWithEnds: 0,
    buyersWithRepeatedEnds: 0,
    buyers: [],
    groups: 0,
    topGroups: [],
    leftOut: 0,
  });
});

test('buyers with repeated ends are listed, those with the most first, and others are counted', async () => {
  const [saleId, other] = [await openSale(), await openSale()];
  await expire(other, 'cem', { times: 3 });
  await expire(saleId, 'cem', { times: 3 });
  await place(saleId, 'cem');
  await expire(saleId, 'ann');
  await giveUp(saleId, 'ann');
  await expire(saleId, 'once');
  await place(saleId, 'pays');
  expect(await readSignals(t.db, saleId, 5)).toMatchObject({
    unpaid: 5,
    gaveUp: 1,
    buyersWithEnds: 3,
    buyersWithRepeatedEnds: 2,
    buyers: [
      { buyerId: 'cem', live: 1, unpaid: 3, gaveUp: 0 },
      { buyerId: 'ann', live: 0, unpaid: 1, gaveUp: 1 },
    ],
  });
  expect((await readSignals(t.db, saleId, 1)).buyers.map(({ buyerId }) => buyerId)).toEqual(['cem']);
});

test('groups are listed by their live orders and ends, also when a buyer’s group has changed', async () => {
  const saleId = await openSale();
  for (const buyerId of ['a', 'b', 'c']) await place(saleId, buyerId, 'house-1');
  await expire(saleId, 'd', { times: 2, group: 'house-2' });
  await expire(saleId, 'd', { group: 'house-3' });
  await place(saleId, 'alone');
  const signals = await readSignals(t.db, saleId, 5);
  expect(signals).toMatchObject({ groups: 3, leftOut: 0, buyersWithRepeatedEnds: 1 });
  expect(signals.buyers).toEqual([{ buyerId: 'd', live: 0, unpaid: 3, gaveUp: 0 }]);
  expect(signals.topGroups).toEqual([
    { group: 'house-1', buyers: 3, live: 3, unpaid: 0, gaveUp: 0 },
    { group: 'house-2', buyers: 1, live: 0, unpaid: 2, gaveUp: 0 },
    { group: 'house-3', buyers: 1, live: 0, unpaid: 1, gaveUp: 0 },
  ]);
});

test('a sale of several pages is counted whole, and no buyer is split between two pages', async () => {
  const { id: saleId } = await openTestSale(t, { units: 10_000 });
  // Three orders each, so that a page of 2,000 orders ends within a buyer.
  await t.db
    .$executeRaw`INSERT INTO orders (id, sale_id, buyer_id, unit, status, reason, amount_minor, currency, pay_by, cancelled_at, buyer_group)
    SELECT gen_random_uuid(), ${saleId}, 'buyer-' || i / 3, i + 1, 'cancelled', 'unpaid', 500, 'EUR', now(), now(), 'group-' || i / 30
    FROM generate_series(0, 5999) i`;
  const signals = await readSignals(t.db, saleId, 10_000);
  expect(signals).toMatchObject({ unpaid: 6_000, buyersWithEnds: 2_000, buyersWithRepeatedEnds: 2_000, groups: 200 });
  expect(new Set(signals.buyers.map(({ unpaid }) => unpaid))).toEqual(new Set([3]));
  expect(new Set(signals.topGroups.map(({ buyers, unpaid }) => `${buyers} ${unpaid}`))).toEqual(new Set(['10 30']));
});

test('the command prints the lists for people, and the same as JSON for programs', async () => {
  const saleId = await openSale();
  await expire(saleId, 'ann', { times: 2, group: 'house-1' });
  const env = { DATABASE_URL: t.databaseUrl, REDIS_URL: t.redisUrl };
  const printed = await printedBy(addSignals, ['signals', saleId], env);
  expect(printed).toMatch(/not paid in time +2\n/);
  expect(printed).toMatch(/ann +2 +0 +0\n/);
  expect(printed).toMatch(/house-1 +1 +0 +2 +0\n/);
  const json = JSON.parse(await printedBy(addSignals, ['signals', saleId, '--json'], env));
  expect(json).toEqual(await readSignals(t.db, saleId, 20));
  await expect(printedBy(addSignals, ['signals', 'nowhere'], env)).rejects.toThrow('nowhere');
});
