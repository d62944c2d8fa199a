import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { recordStatus } from '#core/redis/claims/status.js';
import type { Redis } from '#core/redis/connection.js';
import { type Change, parseChange } from '#core/redis/feed/changes.js';
import type { Claim, ClaimStatus } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { purchaseKeysOf } from '../../support/model/command.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { loseClaim } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

// A claim that Redis has lost, with its lock, and that comes back. The random commands of the model do the same.

const t = useStores();

const [LOCK, PAUSE] = purchaseKeysOf('ann');
let ears: Redis;
let heard: Change[];

beforeAll(async () => {
  ears = t.redis.duplicate({ enableOfflineQueue: true });
  ears.on('pmessage', (_pattern, _channel, text) => heard.push(parseChange(text)));
  await ears.psubscribe('*:changes');
});
afterAll(() => ears.disconnect());
beforeEach(async () => {
  await t.redis.del(LOCK, PAUSE);
  await ears.ping();
  heard = [];
});

/** Opens a sale whose claim of `ann` is lost, with the lock and the pause that it had begun. */
async function lost(wanted: Partial<Sale> = {}): Promise<{ sale: Sale; claim: Claim }> {
  const rules = { onePurchaseAtATime: true, minSecondsBetweenPurchases: 600 };
  const sale = await openTestSale(t, { units: 2, standbyFactor: 1, ...rules, ...wanted });
  const claim = await winOne(t, sale, 'ann');
  await loseClaim(t, sale.id, claim);
  await t.redis.del(LOCK, PAUSE);
  await ears.ping();
  heard = [];
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

describe('the message about a claim that comes back', () => {
  const told = async () => {
    await ears.ping();
    return heard;
  };

  test('has the units that are left, and a buyer who leaves standby', async () => {
    const { sale, claim } = await lost({ units: 1, onePurchaseAtATime: false, minSecondsBetweenPurchases: 0 });
    await win(t, sale, 'bob');
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.stock).toEqual([]);
    const back = await lost({ units: 1, onePurchaseAtATime: false, minSecondsBetweenPurchases: 0 });
    await restore(back.sale, back.claim, 'queued');
    const [change, ...more] = await told();
    expect(more).toEqual([]);
    expect(change).toMatchObject({ free: 0, waiting: 0, buyers: [{ kind: 'claim', buyerId: 'ann' }] });
    expect(await restore(sale, claim, 'queued')).toBe('unit_taken');
    expect(await told()).toHaveLength(1);
  });

  test('has no counts, if the claim has ended', async () => {
    const { sale, claim } = await lost();
    await restore(sale, claim, 'rejected');
    const [change] = await told();
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
