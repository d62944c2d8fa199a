import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type RegrabOutcome, regrab } from '#core/redis/claims/regrab.js';
import { release } from '#core/redis/claims/release.js';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { readRedisMs } from '../../../support/redis/clock.js';
import { readSnapshot } from '../../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../../support/sales.js';
import { dumpKeys, expectTypesChecked, whileFull, writesNothing } from '../../../support/stores/keyspace.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

const again = (sale: Sale, ended: Claim, claimId: string = randomUUID()): Promise<RegrabOutcome> =>
  regrab(t.redis, sale.id, { buyerId: ended.buyerId, endedClaimId: ended.claimId, claimId });

const end = (sale: Sale, won: Claim) =>
  release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);

/** Opens a sale in which a buyer's claim has ended. */
async function saleWithEnded(wanted: Partial<Sale> = {}): Promise<{ sale: Sale; ended: Claim }> {
  const sale = await openTestSale(t, wanted);
  const ended = await winOne(t, sale, 'late');
  await end(sale, ended);
  return { sale, ended };
}

describe('taking a unit again', () => {
  test('is a queued claim under the new id, and an entry in the outbox', async () => {
    const { sale, ended } = await saleWithEnded({ units: 2 });
    const claimId = randomUUID();
    const from = await readRedisMs(t.redis);
    expect(await again(sale, ended, claimId)).toEqual({ kind: 'taken', unit: 2 });
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('late')).toEqual({ claimId, unit: 2, status: 'queued' });
    expect(snapshot?.stock).toEqual([1]);
    expect([...(snapshot?.outbox.keys() ?? [])]).toEqual(['late']);
    expect(snapshot?.outbox.get('late')).toBeGreaterThanOrEqual(from);
  });

  test('a second call finds the claim and writes nothing', async () => {
    const { sale, ended } = await saleWithEnded({ units: 1 });
    await t.redis.lset(keysOf(sale.id).stock, 0, 7);
    const claimId = randomUUID();
    const taken = { kind: 'taken', unit: 7 };
    expect(await again(sale, ended, claimId)).toEqual(taken);
    expect(await writesNothing(t.redis, () => again(sale, ended, claimId))).toEqual(taken);
  });

  test.each(['paused', 'closed'] as const)('a second call finds the claim in a sale that is %s since', async state => {
    const { sale, ended } = await saleWithEnded({ units: 1 });
    const claimId = randomUUID();
    const taken = await again(sale, ended, claimId);
    await setSale(t.redis, sale.id, { state });
    expect(await writesNothing(t.redis, () => again(sale, ended, claimId))).toEqual(taken);
    expect(taken).toEqual({ kind: 'taken', unit: 1 });
  });

  test('a new claim that has ended takes no unit', async () => {
    const { sale, ended } = await saleWithEnded();
    const claimId = randomUUID();
    await again(sale, ended, claimId);
    await end(sale, { ...ended, claimId });
    expect(await writesNothing(t.redis, () => again(sale, ended, claimId))).toEqual({ kind: 'ended' });
  });

  test('a buyer of whom Redis knows no claim gets a unit', async () => {
    const sale = await openTestSale(t);
    expect(await again(sale, { buyerId: 'unknown', claimId: randomUUID(), unit: 1 })).toEqual({
      kind: 'taken',
      unit: 1,
    });
  });

  test('a sale with purchase rules takes the lock for the new claim', async () => {
    const { sale, ended } = await saleWithEnded({ onePurchaseAtATime: true });
    const claimId = randomUUID();
    await again(sale, ended, claimId);
    expect(await t.redis.get('dropline:purchase:{late}')).toBe(claimId);
    await t.redis.del('dropline:purchase:{late}');
  });
});

describe('no unit is taken', () => {
  const refused = (sale: Sale, ended: Claim) => writesNothing(t.redis, () => again(sale, ended));

  test('while the old claim is live: its release is in flight', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'late');
    expect(await refused(sale, won)).toEqual({ kind: 'not_released' });
  });

  test('while the buyer has another live claim', async () => {
    const { sale, ended } = await saleWithEnded();
    await winOne(t, sale, 'late');
    expect(await refused(sale, ended)).toEqual({ kind: 'other_claim' });
  });

  test.each(['paused', 'closed'] as const)('in a %s sale', async state => {
    const { sale, ended } = await saleWithEnded();
    await setSale(t.redis, sale.id, { state });
    expect(await refused(sale, ended)).toEqual({ kind: 'not_open' });
  });

  test('in a sold-out sale, or past the buyers on standby', async () => {
    const { sale, ended } = await saleWithEnded({ units: 1, standbyFactor: 1 });
    await win(t, sale, 'a');
    expect(await refused(sale, ended)).toEqual({ kind: 'sold_out' });
    await win(t, sale, 'b');
    await t.redis.rpush(keysOf(sale.id).stock, 2);
    expect(await refused(sale, ended)).toEqual({ kind: 'sold_out' });
  });
});

describe('guards', () => {
  test('an unknown or unverified sale is an error, and stays the same', async () => {
    const { sale, ended } = await saleWithEnded();
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await writesNothing(t.redis, () => expect(again(sale, ended)).rejects.toThrow(NotVerified));
    const nowhere = { ...sale, id: 'nowhere' };
    await writesNothing(t.redis, () => expect(again(nowhere, ended)).rejects.toThrow('unknown_sale'));
  });

  test('a key of another type fails the script before its first write', async () => {
    const { sale, ended } = await saleWithEnded({ standbyFactor: 1 });
    await expectTypesChecked(t.redis, Object.values(keysOf(sale.id)), () => again(sale, ended));
  });

  test('a full Redis takes no unit again', async () => {
    const { sale, ended } = await saleWithEnded();
    const before = await dumpKeys(t.redis);
    await whileFull(t.redis, () => expect(again(sale, ended)).rejects.toThrow('OOM'));
    expect(await dumpKeys(t.redis)).toEqual(before);
  });
});
