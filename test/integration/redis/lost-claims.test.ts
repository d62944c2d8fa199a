import { beforeEach, describe, expect, test } from '@jest/globals';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { recordStatus } from '#core/redis/claims/status.js';
import type { Claim, ClaimStatus } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { purchaseKeysOf } from '../../support/model/command.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { loseClaim } from '../../support/stores/by-hand.js';
import { messagesDuring } from '../../support/stores/messages.js';
import { useStores } from '../../support/stores/stores.js';

// A claim that Redis has lost, with its lock, and that comes back. The random commands of the model do the same.

const t = useStores();

const [LOCK, PAUSE] = purchaseKeysOf('ann');

beforeEach(() => t.redis.del(LOCK, PAUSE));

/** Opens a sale whose claim of `ann` is lost, with the lock and the pause that it had begun. */
async function lost(wanted: Partial<Sale> = {}): Promise<{ sale: Sale; claim: Claim }> {
  const rules = { onePurchaseAtATime: true, minSecondsBetweenPurchases: 600 };
  const sale = await openTestSale(t, { units: 2, standbyFactor: 1, ...rules, ...wanted });
  const claim = await winOne(t, sale, 'ann');
  await loseClaim(t, sale.id, claim);
  await t.redis.del(LOCK, PAUSE);
  return { sale, claim };
}

const restore = ({ id }: Sale, claim: Claim, status: ClaimStatus) => restoreClaim(t.redis, id, { ...claim, status });
const keys = () => t.redis.mget(LOCK, PAUSE);

describe('the lock and the pause of a lost claim', () => {
  test.each(['queued', 'pending_payment'] as const)('begin again with it, if it is %s', async status => {
    const { sale, claim } = await lost();
    expect(await restore(sale, claim, status)).toBe('restored');
    expect(await keys()).toEqual([claim.claimId, claim.claimId]);
    const other = await openTestSale(t, { onePurchaseAtATime: true });
    expect(await win(t, other, 'ann')).toEqual([]);
  });

  test('do not begin again with a paid one, as the purchase is over', async () => {
    const { sale, claim } = await lost();
    expect(await restore(sale, claim, 'paid')).toBe('restored');
    expect(await keys()).toEqual([null, null]);
  });

  test('end with a claim that has ended, and the lock of a later purchase stays', async () => {
    const { sale, claim } = await lost();
    await t.redis.set(LOCK, claim.claimId);
    expect(await restore(sale, claim, 'cancelled')).toBe('restored');
    expect(await keys()).toEqual([null, null]);
    const again = await lost();
    await t.redis.set(LOCK, 'a-later-claim');
    expect(await restore(again.sale, again.claim, 'cancelled')).toBe('restored');
    expect((await keys())[0]).toBe('a-later-claim');
  });

  test('are those of the first purchase that began', async () => {
    const { sale, claim } = await lost();
    await t.redis.set(LOCK, 'an-earlier-claim');
    await restore(sale, claim, 'queued');
    expect((await keys())[0]).toBe('an-earlier-claim');
  });
});

describe('a claim that comes back', () => {
  test('brings the units that are left with it, and one that does not come back changes nothing', async () => {
    const wanted = { units: 1, onePurchaseAtATime: false, minSecondsBetweenPurchases: 0 };
    const [back, late] = [await lost(wanted), await lost(wanted)];
    const restoring = async ({ sale, claim }: typeof back, result: string) =>
      messagesDuring(t.redis, sale.id, async () => expect(await restore(sale, claim, 'queued')).toBe(result));
    const [change, ...more] = await restoring(back, 'restored');
    expect(more).toEqual([]);
    expect(change).toMatchObject({ free: 0, waiting: 0, buyers: [{ kind: 'claim', buyerId: 'ann' }] });
    await win(t, late.sale, 'bob');
    expect(await restoring(late, 'unit_taken')).toEqual([]);
  });

  test('brings no counts with it, if it has ended', async () => {
    const { sale, claim } = await lost();
    const [change] = await messagesDuring(t.redis, sale.id, () => restore(sale, claim, 'rejected'));
    expect(change?.free).toBeUndefined();
    expect(change?.buyers).toMatchObject([{ kind: 'claim', buyerId: 'ann' }]);
  });
});

test('a lost claim whose order was recorded comes back in the status of its order, and moves on from there', async () => {
  const { sale, claim } = await lost({ onePurchaseAtATime: false, minSecondsBetweenPurchases: 0 });
  expect(await recordStatus(t.redis, sale.id, [{ ...claim, status: 'pending_payment', payByMs: 5 }])).toEqual([false]);
  await restoreClaim(t.redis, sale.id, { ...claim, status: 'pending_payment', payByMs: 5 });
  expect(await recordStatus(t.redis, sale.id, [{ ...claim, status: 'paid' }])).toEqual([true]);
  await eventually(async () => {
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('ann')).toMatchObject({ status: 'paid', unit: 1 });
  });
});
