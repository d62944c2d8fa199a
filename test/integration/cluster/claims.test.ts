import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { release } from '#core/redis/claims/release.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import type { Claim, ClaimStatus } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { locksOf, useCluster, whileAway } from '../../support/redis/cluster.js';
import { slotOf } from '../../support/redis/slot-owner.js';
import { aClaim, aSale, win, winOne } from '../../support/sales.js';

// The scripts of a sale, and the locks of its buyers on a Redis Cluster.

const c = useCluster(1);

const someone = () => `buyer-${randomUUID().slice(0, 8)}`;

async function open(rules: Partial<Sale>): Promise<Sale> {
  const sale = aSale(rules);
  await openSale(c.redis, sale);
  return sale;
}

const lockOf = (buyerId: string) => c.redis.of(buyerId).get(locksOf(buyerId).lock);
const typesOf = (buyerId: string) =>
  Promise.all(Object.values(locksOf(buyerId)).map(key => c.redis.of(buyerId).type(key)));

/** Wins a unit, and waits until its buyer has the lock of the claim. */
async function winLocked(sale: Sale, buyerId: string): Promise<Claim> {
  const won = await winOne(c, sale, buyerId);
  await eventually(async () => expect(await lockOf(buyerId)).toBe(won.claimId));
  return won;
}

const ask = (sale: Sale, ...buyerIds: string[]): Promise<ClaimOutcome[]> =>
  claim(
    c.redis,
    sale.id,
    buyerIds.map(buyerId => ({ buyerId, claimId: randomUUID() })),
  );

describe('a sale with a pause, and without one purchase at a time', () => {
  test('is not hindered by the lock of another purchase, and takes none', async () => {
    const sale = await open({ minSecondsBetweenPurchases: 600 });
    const buyerId = someone();
    await c.redis.of(buyerId).set(locksOf(buyerId).lock, 'another claim');
    await winOne(c, sale, buyerId);
    const free = someone();
    await winOne(c, sale, free);
    await eventually(async () => expect(await typesOf(free)).toEqual(['none', 'string']));
    expect(await lockOf(buyerId)).toBe('another claim');
  });
});

describe('the bucket of a buyer is away', () => {
  test('the buyer is refused, and the others of the same batch are served', async () => {
    const sale = await open({ onePurchaseAtATime: true });
    const here = someone();
    let there = someone();
    while ([here, sale.id].some(id => slotOf(id) === slotOf(there))) there = someone();
    const outcomes = await whileAway(c, there, () => ask(sale, there, here));
    expect(outcomes).toMatchObject([{ kind: 'refused', refusal: 'locks_away' }, { kind: 'won' }]);
    expect(await readLoadedSale(c.redis, sale.id)).toMatchObject({ claims: 1, remaining: 2 });
    expect(await ask(sale, there)).toMatchObject([{ kind: 'won' }]);
  });
});

describe('recording the status of an order', () => {
  test.each<[status: ClaimStatus, isOver: boolean]>([
    ['queued', false],
    ['pending_payment', false],
    ['paid', true],
  ])('%s: whether the purchase is over, and its lock given back, is %s', async (status, isOver) => {
    const sale = await open({ onePurchaseAtATime: true });
    const [won, other] = [await winLocked(sale, someone()), await winLocked(sale, someone())];
    expect(
      await recordStatus(c.redis, sale.id, [
        { ...other, status: 'queued' },
        { ...won, status },
      ]),
    ).toEqual([true, true]);
    expect(await lockOf(won.buyerId)).toBe(isOver ? null : won.claimId);
    expect(await lockOf(other.buyerId)).toBe(other.claimId);
  });

  test('gives a lock back once more if it is repeated, and never that of a later purchase', async () => {
    const sale = await open({ onePurchaseAtATime: true });
    const won = await winLocked(sale, someone());
    const { lock } = locksOf(won.buyerId);
    const paid = () => recordStatus(c.redis, sale.id, [{ ...won, status: 'paid' }]);
    await paid();
    // A worker that dies in between has not given it back.
    await c.redis.of(won.buyerId).set(lock, won.claimId);
    expect(await paid()).toEqual([true]);
    expect(await lockOf(won.buyerId)).toBeNull();
    await c.redis.of(won.buyerId).set(lock, 'a later claim');
    await paid();
    expect(await lockOf(won.buyerId)).toBe('a later claim');
  });
});

describe('restoring a claim', () => {
  const restore = (sale: Sale, restored: Claim, status: ClaimStatus) =>
    restoreClaim(c.redis, sale.id, { ...restored, status });

  test.each<[status: ClaimStatus, isLocked: boolean]>([
    ['queued', true],
    ['pending_payment', true],
    ['paid', false],
    ['cancelled', false],
    ['rejected', false],
  ])('that is %s: whether its buyer has the lock then is %s', async (status, isLocked) => {
    const sale = await open({ onePurchaseAtATime: true });
    const lost = aClaim();
    expect(await restore(sale, lost, status)).toBe('restored');
    expect(await lockOf(lost.buyerId)).toBe(isLocked ? lost.claimId : null);
  });

  test('that has ended gives its lock back, and one that is held touches no lock', async () => {
    const sale = await open({ onePurchaseAtATime: true });
    const [ended, held] = [aClaim(), await winLocked(sale, someone())];
    await c.redis.of(ended.buyerId).set(locksOf(ended.buyerId).lock, ended.claimId);
    expect(await restore(sale, ended, 'cancelled')).toBe('restored');
    expect(await lockOf(ended.buyerId)).toBeNull();
    await c.redis.of(held.buyerId).del(locksOf(held.buyerId).lock);
    expect(await restore(sale, held, 'queued')).toBe('held');
    expect(await lockOf(held.buyerId)).toBeNull();
  });
});

test('a release gives the lock back, and the promoted buyer has the next one', async () => {
  const sale = await open({ onePurchaseAtATime: true, units: 1, standbyFactor: 1 });
  const won = await winLocked(sale, someone());
  const next = someone();
  await win(c, sale, next);
  const outcomes = await release(c.redis, sale.id, [
    { ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true },
  ]);
  expect(outcomes).toMatchObject([{ kind: 'promoted', claim: { claimId: await lockOf(next) } }]);
  expect(await lockOf(won.buyerId)).toBeNull();
});
