import { randomUUID } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { rescue } from '#core/maintenance/rescue.js';
import { claim } from '#core/redis/claims/claim.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { readStatuses, recordStatus } from '#core/redis/claims/status.js';
import { isUnknown } from '#core/redis/registry.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { NotVerified } from '#core/rules/errors.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('after kill -9 a sale refuses claims until it was compared, and has then lost nothing', async () => {
  const sale = await openTestSale(t, { units: 5, standbyFactor: 1 });
  const placed = await win(t, sale, 'a', 'b');
  await placeOrders(t, { saleId: sale.id, claims: placed });
  const [unplaced] = await win(t, sale, 'c');
  await reconcileAll(t);
  const before = await readSnapshot(t.redis, sale.id);
  const runBefore = await readRunId(t.redis);

  await t.restartRedis();
  expect(await readRunId(t.redis)).not.toBe(runBefore);
  const ask = () => claim(t.redis, sale.id, [{ buyerId: 'd', claimId: randomUUID() }]);
  expect(await ask()).toEqual([{ kind: 'refused', refusal: 'unverified' }]);
  await expect(readStatuses(t.redis, sale.id, ['a'])).rejects.toThrow(NotVerified);
  await expect(recordStatus(t.redis, sale.id, [{ ...placed[0], status: 'paid' } as never])).rejects.toThrow(
    NotVerified,
  );
  await expect(rescue(t, sale.id, 0)).rejects.toThrow(NotVerified);
  expect(await isUnknown(t.redis, 'nowhere')).toBe(false);

  await reconcileAll(t);
  const after = await readSnapshot(t.redis, sale.id);
  expect(after).toMatchObject({ stock: before?.stock, standby: before?.standby });
  expect(Object.fromEntries(after?.claims ?? [])).toMatchObject({
    a: { status: 'pending_payment' },
    b: { status: 'pending_payment' },
    c: { claimId: unplaced?.claimId },
  });
  expect((await winOne(t, sale, 'd')).unit).toBe(4);
  expect(await isUnknown(t.redis, 'nowhere')).toBe(true);
  await rescue(t, sale.id, 0);
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
});

test('an accepted claim survives kill -9, because it was on disk before the answer', async () => {
  const sale = await openTestSale(t, { units: 100 });
  const accepted = [];
  for (let i = 0; i < 20; i += 1) accepted.push(await winOne(t, sale, `buyer${i}`));
  await t.restartRedis();
  await reconcileAll(t);
  const snapshot = await readSnapshot(t.redis, sale.id);
  for (const { buyerId, claimId } of accepted) expect(snapshot?.claims.get(buyerId)?.claimId).toBe(claimId);
});

test('on an old copy of its data Redis sells no placed unit again, and unplaced claims are restored or lost', async () => {
  const sale = await openTestSale(t, { units: 4 });
  const old = await winOne(t, sale, 'old');
  await placeOrders(t, { saleId: sale.id, claims: [old] });
  const [now, copy] = ['appendonlydir', 'copy'].map(name => join(t.redisFolder, name)) as [string, string];
  await cp(now, copy, { recursive: true });
  const since = await winOne(t, sale, 'since');
  await placeOrders(t, { saleId: sale.id, claims: [since] });
  const [unplaced, late] = [await winOne(t, sale, 'unplaced'), await winOne(t, sale, 'late')];

  await t.restartRedis(async () => {
    await rm(now, { recursive: true });
    await cp(copy, now, { recursive: true });
  });
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([2, 3, 4]);
  expect(await claim(t.redis, sale.id, [{ buyerId: 'eager', claimId: randomUUID() }])).toMatchObject([
    { refusal: 'unverified' },
  ]);
  await reconcileAll(t);
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('since')).toMatchObject({
    claimId: since.claimId,
    unit: 2,
  });
  expect(await restoreClaim(t.redis, sale.id, { ...late, status: 'queued' })).toBe('restored');
  expect(await winOne(t, sale, 'next')).toMatchObject({ unit: unplaced.unit });
  expect(await restoreClaim(t.redis, sale.id, { ...unplaced, status: 'queued' })).toBe('unit_taken');
  await rescue(t, sale.id, 0);
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
});
