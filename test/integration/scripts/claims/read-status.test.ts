import { describe, expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { readStatuses } from '#core/redis/claims/status.js';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import { NotVerified } from '#core/rules/errors.js';
import { createDraw, join } from '../../../support/draws/lines.js';
import { openTestSale, win } from '../../../support/sales.js';
import { expectTypesChecked, whileFull, writesNothing } from '../../../support/stores/keyspace.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

describe('the status of buyers', () => {
  test('is the claim, the position on standby, or nothing, each in the order of the buyers', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    const [won] = await win(t, sale, 'a', 'b', 'c');
    const statuses = await writesNothing(t.redis, () => readStatuses(t.redis, sale.id, ['c', 'nobody', 'a', 'b']));
    const claim = { claimId: won?.claimId, unit: 1, status: 'queued' };
    expect(statuses).toEqual([{ position: 2 }, {}, { claim }, { position: 1 }]);
  });

  test('is the claim alone in a sale without standby', async () => {
    const sale = await openTestSale(t);
    await win(t, sale, 'a');
    expect(await readStatuses(t.redis, sale.id, ['nobody', 'a'])).toMatchObject([{}, { claim: { status: 'queued' } }]);
  });

  test('is both of a buyer on standby whose claim has ended, and only the claim while it is live', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    const [won] = await win(t, sale, 'a');
    await release(t.redis, sale.id, [{ ...(won as Claim), status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    await win(t, sale, 'b', 'a');
    expect(await readStatuses(t.redis, sale.id, ['a'])).toEqual([
      { position: 1, claim: { claimId: won?.claimId, unit: 1, status: 'cancelled', reason: 'unpaid' } },
    ]);
    await t.redis.zadd(keysOf(sale.id).standby, 9, 'b');
    expect(await readStatuses(t.redis, sale.id, ['b'])).toEqual([
      { claim: { claimId: expect.any(String), unit: 1, status: 'queued' } },
    ]);
  });
});

describe('the status of a buyer who joined before the opening', () => {
  test('is the number of the entry, without a position as long as the order is not made', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'a', 'b');
    expect(await readStatuses(t.redis, sale.id, ['b', 'nobody', 'a'])).toEqual([
      { isJoined: true, entry: 2 },
      {},
      { isJoined: true, entry: 1 },
    ]);
  });

  test('has a position once the order is made, and the number of the entry', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'a', 'b');
    await t.redis.hset(keysOf(sale.id).sale, 'draw', 'ordered');
    expect(await readStatuses(t.redis, sale.id, ['b', 'a'])).toEqual([
      { position: 2, entry: 2 },
      { position: 1, entry: 1 },
    ]);
  });
});

describe('guards', () => {
  test('an unknown or unverified sale is an error', async () => {
    const sale = await openTestSale(t);
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await expect(readStatuses(t.redis, sale.id, ['a'])).rejects.toThrow(NotVerified);
    await expect(readStatuses(t.redis, 'nowhere', ['a'])).rejects.toThrow('unknown_sale');
  });

  test('a key of another type is an error', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
    await win(t, sale, 'a', 'b');
    const keys = keysOf(sale.id);
    await expectTypesChecked(t.redis, [keys.sale, keys.claims, keys.standby], () =>
      readStatuses(t.redis, sale.id, ['b']),
    );
  });

  test('a full Redis still answers', async () => {
    const sale = await openTestSale(t);
    await win(t, sale, 'a');
    expect(await whileFull(t.redis, () => readStatuses(t.redis, sale.id, ['a']))).toHaveLength(1);
  });
});
