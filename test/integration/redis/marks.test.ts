import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { outboxAgeMs, readOutboxAges } from '#core/redis/claims/outbox.js';
import { clickToPay, dropPayClick, payClicksAgeMs, readPayClicks } from '#core/redis/claims/pay-click.js';
import { regrab } from '#core/redis/claims/regrab.js';
import { release } from '#core/redis/claims/release.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { recordStatus, setReason } from '#core/redis/claims/status.js';
import { keysOf } from '#core/redis/keys.js';
import { type Mark, markChanged, readMarked, unmarkChanged } from '#core/redis/marks.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { dropSale, restock, setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { promoteWaiting } from '#core/steps/release-units.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// A worker asks the marks which sales need work, and no other sale.

const t = useStores();

const isMarked = async ({ id }: Sale, mark: Mark) => (await readMarked(t.redis, mark)).includes(id);
const placed = (claim: Claim) => ({ ...claim, status: 'pending_payment', payByMs: 1_900_000_000_000 }) as const;
const ended = (claim: Claim) => ({ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }) as const;

async function versionOf({ id }: Sale): Promise<number> {
  const snapshot = await readSnapshot(t.redis, id);
  return snapshot?.version ?? 0;
}

describe('a sale is marked as unplaced', () => {
  test('until its last claim has an order', async () => {
    const sale = await openTestSale(t);
    expect(await isMarked(sale, 'unplaced')).toBe(false);
    const [ann, bob] = (await win(t, sale, 'ann', 'bob')) as [Claim, Claim];
    expect(await isMarked(sale, 'unplaced')).toBe(true);
    await recordStatus(t.redis, sale.id, [placed(ann)]);
    expect([await isMarked(sale, 'unplaced'), (await readOutboxAges(t.redis)).has(sale.id)]).toEqual([true, true]);
    await recordStatus(t.redis, sale.id, [placed(bob)]);
    expect([await isMarked(sale, 'unplaced'), (await readOutboxAges(t.redis)).has(sale.id)]).toEqual([false, false]);
  });

  test('until its last claim has ended', async () => {
    const sale = await openTestSale(t);
    const claim = await winOne(t, sale, 'ann');
    await release(t.redis, sale.id, [ended(claim)]);
    expect(await isMarked(sale, 'unplaced')).toBe(false);
  });

  test('when a released unit goes to a buyer on standby', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
    const claim = await winOne(t, sale, 'ann');
    await recordStatus(t.redis, sale.id, [placed(claim)]);
    await win(t, sale, 'bob');
    await release(t.redis, sale.id, [ended(claim)]);
    expect(await isMarked(sale, 'unplaced')).toBe(true);
  });

  test('when a new unit goes to a buyer on standby', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
    await recordStatus(t.redis, sale.id, [placed(await winOne(t, sale, 'ann'))]);
    await win(t, sale, 'bob');
    await restock(t.redis, { ...sale, units: 2 });
    expect(await isMarked(sale, 'unplaced')).toBe(false);
    await promoteWaiting(t, sale.id);
    expect(await isMarked(sale, 'unplaced')).toBe(true);
  });

  test('when late money takes a unit, and when a claim is restored', async () => {
    const [again, restored] = [await openTestSale(t), await openTestSale(t)];
    const claim = await winOne(t, again, 'ann');
    await release(t.redis, again.id, [ended(claim)]);
    await regrab(t.redis, again.id, { buyerId: 'ann', endedClaimId: claim.claimId, claimId: randomUUID() });
    expect(await isMarked(again, 'unplaced')).toBe(true);
    await restoreClaim(t.redis, restored.id, { ...placed({ ...claim, claimId: randomUUID() }) });
    expect(await isMarked(restored, 'unplaced')).toBe(false);
    await restoreClaim(t.redis, restored.id, { buyerId: 'bob', claimId: randomUUID(), unit: 2, status: 'queued' });
    expect(await isMarked(restored, 'unplaced')).toBe(true);
  });

  test('when it is loaded with such claims, and not when it is loaded without', async () => {
    const sale = await openTestSale(t);
    const claim = { buyerId: 'ann', claimId: randomUUID(), unit: 1, status: 'queued' } as const;
    const gate = (await readSnapshot(t.redis, sale.id))?.runId ?? '';
    const state = { claims: [claim], outbox: [{ buyerId: 'ann', wonAtMs: 1 }], standby: [] };
    await openSale(t.redis, sale, { state, gate });
    expect(await isMarked(sale, 'unplaced')).toBe(true);
    expect(await outboxAgeMs(t.redis)).toBeGreaterThan(1_000_000);
    await openSale(t.redis, sale, { gate });
    expect(await isMarked(sale, 'unplaced')).toBe(false);
  });
});

test('a sale is marked as clicked until its last click to pay is dealt with', async () => {
  const sale = await openTestSale(t);
  const claims = await win(t, sale, 'ann', 'bob');
  await recordStatus(t.redis, sale.id, claims.map(placed));
  expect([await isMarked(sale, 'clicked'), await payClicksAgeMs(t.redis)]).toEqual([false, 0]);
  await clickToPay(t.redis, sale.id, 'ann');
  await clickToPay(t.redis, sale.id, 'bob');
  const [first, second] = await readPayClicks(t.redis, sale.id, { limit: 2 });
  if (!first || !second) throw new Error('a click is missing');
  await dropPayClick(t.redis, sale.id, first);
  expect(await isMarked(sale, 'clicked')).toBe(true);
  await dropPayClick(t.redis, sale.id, second);
  expect(await isMarked(sale, 'clicked')).toBe(false);
});

describe('a sale is marked as changed', () => {
  /** Opens a sale whose mark was taken, with a claim of ann that has an order, and bob on standby. */
  async function quietSale() {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    const claim = await winOne(t, sale, 'ann');
    await recordStatus(t.redis, sale.id, [placed(claim)]);
    await win(t, sale, 'bob');
    await unmarkChanged(t.redis, sale.id, await versionOf(sale));
    expect(await isMarked(sale, 'changed')).toBe(false);
    return { sale, claim };
  }

  test.each<[string, (sale: Sale, claim: Claim) => Promise<unknown>]>([
    ['a buyer joins standby', sale => win(t, sale, 'cem')],
    ['a buyer leaves standby', sale => leaveStandby(t.redis, sale.id, 'bob')],
    ['an order is paid', (sale, claim) => recordStatus(t.redis, sale.id, [{ ...claim, status: 'paid' }])],
    ['a claim ends', (sale, claim) => release(t.redis, sale.id, [ended(claim)])],
    ['a unit is added', sale => restock(t.redis, { ...sale, units: 2 })],
    ['an operator pauses it', sale => setSale(t.redis, sale.id, { state: 'paused' })],
    ['its gate is shut', sale => setSale(t.redis, sale.id, { runId: 'a-rebuild' })],
    ['an operator is about to change its money', sale => markChanged(t.redis, sale.id)],
  ])('when %s', async (_, change) => {
    const { sale, claim } = await quietSale();
    await change(sale, claim);
    expect(await isMarked(sale, 'changed')).toBe(true);
  });

  test('when a reason is added to an ended claim', async () => {
    const { sale, claim } = await quietSale();
    await release(t.redis, sale.id, [ended(claim)]);
    await unmarkChanged(t.redis, sale.id, await versionOf(sale));
    await setReason(t.redis, sale.id, { ...claim, reason: 'refunded_late_payment' });
    expect(await isMarked(sale, 'changed')).toBe(true);
  });

  test('when a unit is claimed, with many and with few free units', async () => {
    for (const units of [1_000, 10]) {
      const sale = await openTestSale(t, { units });
      await unmarkChanged(t.redis, sale.id, await versionOf(sale));
      await win(t, sale, 'ann');
      expect(await isMarked(sale, 'changed')).toBe(true);
    }
  });

  test('for as long as nobody has compared it as it is now', async () => {
    const { sale, claim } = await quietSale();
    const before = await versionOf(sale);
    await recordStatus(t.redis, sale.id, [{ ...claim, status: 'paid' }]);
    await unmarkChanged(t.redis, sale.id, before);
    expect(await isMarked(sale, 'changed')).toBe(true);
  });

  test('but not when a click changes nothing', async () => {
    const { sale } = await quietSale();
    await win(t, sale, 'ann', 'bob');
    expect(await isMarked(sale, 'changed')).toBe(false);
  });
});

test('a sale that leaves Redis leaves no mark', async () => {
  const sale = await openTestSale(t);
  await win(t, sale, 'ann');
  await t.redis.del(keysOf(sale.id).outbox);
  await dropSale(t.redis, sale.id);
  const marks = await Promise.all((['unplaced', 'clicked', 'changed'] as const).map(mark => isMarked(sale, mark)));
  expect(marks).toEqual([false, false, false]);
});

test('a mark of another type makes no claim fail', async () => {
  const sale = await openTestSale(t);
  const [key] = (await t.redis.keys('{b*}:changed')) as [string];
  await t.redis.set(key, 'of another type');
  expect(await win(t, sale, 'ann')).toHaveLength(1);
  await t.redis.del(key);
});
