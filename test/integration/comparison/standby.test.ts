import { describe, expect, test } from '@jest/globals';
import { standbyFaults } from '#core/comparison/standby.js';
import { keysOf } from '#core/redis/keys.js';
import type { ClaimStatus } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { aClaim, openTestSale, win } from '../../support/sales.js';
import { forceClaim } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Opens a sale of one unit with `ann`, `bob` and `cem` on standby, which is full. */
async function fullStandby(): Promise<Sale> {
  const sale = await openTestSale(t, { units: 1, standbyFactor: 3 });
  await win(t, sale, 'first', 'ann', 'bob', 'cem');
  return sale;
}

const faultsOf = ({ id }: Sale) => standbyFaults(t.redis, id);
const setTicket = (sale: Sale, buyerId: string, ticket: number) =>
  t.redis.zadd(keysOf(sale.id).standby, ticket, buyerId);

test('a full standby has no fault, and neither has an empty one', async () => {
  expect(await faultsOf(await fullStandby())).toEqual([]);
  expect(await faultsOf(await openTestSale(t))).toEqual([]);
});

describe('a fault of standby', () => {
  test.each(['queued', 'pending_payment', 'paid'] as const)('is a buyer whose claim is %s', async status => {
    const sale = await fullStandby();
    await forceClaim(t, sale.id, aClaim({ buyerId: 'bob' }), { status, outbox: false });
    expect(await faultsOf(sale)).toEqual(['I3 bob is in line and holds the claim of unit 1']);
  });

  test.each<ClaimStatus>(['cancelled', 'rejected', 'refunded'])('is no buyer whose claim is %s', async status => {
    const sale = await fullStandby();
    await forceClaim(t, sale.id, aClaim({ buyerId: 'bob' }), { status, outbox: false });
    expect(await faultsOf(sale)).toEqual([]);
  });

  test('is one buyer more than it has room for', async () => {
    const sale = await fullStandby();
    await t.redis.hset(keysOf(sale.id).sale, 'standbyCap', 2);
    expect(await faultsOf(sale)).toEqual(['line: 3 are in a line for 2']);
  });

  test.each([
    ['given to nobody yet', 4, 'cem'],
    ['given twice', 2, 'cem'],
    ['below the first one', 0, 'cem'],
  ])('is a ticket %s', async (_what, ticket, buyerId) => {
    const sale = await fullStandby();
    await setTicket(sale, 'cem', ticket);
    expect(await faultsOf(sale)).toEqual([`line: no certain place in line: ${buyerId}`]);
  });
});

test('more buyers than one page are all checked', async () => {
  const sale = await fullStandby();
  const { sale: key, standby } = keysOf(sale.id);
  const more = Array.from({ length: 5_000 }, (_, i) => [i + 4, `more-${i}`] as const);
  await t.redis.zadd(standby, ...more.flat());
  await t.redis.hset(key, 'standbyCap', 6_000, 'standbySeq', 5_003);
  expect(await faultsOf(sale)).toEqual([]);
  await t.redis.hset(key, 'standbySeq', 5_001);
  expect(await faultsOf(sale)).toEqual(['line: no certain place in line: more-4998, more-4999']);
});
