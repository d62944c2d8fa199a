import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { promote, release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { keysOf, prefixOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { dropSale, readLoadedSale, restock } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { aSale, win, winOne } from '../../support/sales.js';
import { expectTypesChecked, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const lockOf = (buyerId: string) => `dropline:purchase:{${buyerId}}`;
const pauseOf = (buyerId: string) => `dropline:interval:{${buyerId}}`;
const someone = () => `buyer-${randomUUID().slice(0, 8)}`;

async function open(wanted: Partial<Sale>): Promise<Sale> {
  const sale = aSale(wanted);
  await openSale(t.redis, sale);
  return sale;
}
const oneAtATime = (wanted: Partial<Sale> = {}) => open({ onePurchaseAtATime: true, ...wanted });
const withPause = (seconds: number, wanted: Partial<Sale> = {}) =>
  open({ minSecondsBetweenPurchases: seconds, ...wanted });

async function ask(sale: Sale, buyerId: string): Promise<ClaimOutcome> {
  const [outcome] = await claim(t.redis, sale.id, [{ buyerId, claimId: randomUUID() }]);
  if (!outcome) throw new Error('no outcome');
  return outcome;
}

const end = (sale: Sale, ended: Claim) =>
  release(t.redis, sale.id, [{ ...ended, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
const paid = (sale: Sale, claimed: Claim) => recordStatus(t.redis, sale.id, [{ ...claimed, status: 'paid' }]);

describe('one purchase at a time', () => {
  test('a second sale is refused until the first purchase is paid or has ended', async () => {
    const [one, other, third] = [await oneAtATime(), await oneAtATime(), await oneAtATime()];
    const buyerId = someone();
    const first = await winOne(t, one, buyerId);
    const refused = await writesNothing(t.redis, () => ask(other, buyerId));
    expect(refused).toEqual({ kind: 'too_soon', because: 'purchase', waitMs: expect.any(Number) });
    expect(await ask(one, buyerId)).toMatchObject({ kind: 'held' });
    await recordStatus(t.redis, one.id, [{ ...first, status: 'pending_payment', payByMs: 9_000 }]);
    expect(await ask(other, buyerId)).toMatchObject({ kind: 'too_soon' });
    await paid(one, first);
    const second = await winOne(t, other, buyerId);
    expect(await ask(third, buyerId)).toMatchObject({ kind: 'too_soon' });
    await end(other, second);
    expect(await ask(third, buyerId)).toMatchObject({ kind: 'won' });
  });

  test('a buyer with many clicks in many sales wins once', async () => {
    const sales = await Promise.all(Array.from({ length: 10 }, () => oneAtATime()));
    const buyerId = someone();
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(sales[i % 10] as Sale, buyerId)));
    expect(outcomes.filter(({ kind }) => kind === 'won')).toHaveLength(1);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['won', 'held', 'too_soon']));
  });

  test('the lock holds the claim’s id, and expires after the time to pay and a margin', async () => {
    // The time of the test makes no difference to it.
    const sale = await oneAtATime({ payWithinSeconds: 1_000_000 });
    const won = await winOne(t, sale, someone());
    expect(await t.redis.get(lockOf(won.buyerId))).toBe(won.claimId);
    const leftMs = await t.redis.pttl(lockOf(won.buyerId));
    expect(leftMs).toBeGreaterThan(1_000_000_000);
    expect(leftMs).toBeLessThanOrEqual(1_000_060_000);
  });

  test('after a lock has expired, the next purchase begins, and the end of the first keeps its lock', async () => {
    const [one, other, third] = [await oneAtATime(), await oneAtATime(), await oneAtATime()];
    const buyerId = someone();
    const first = await winOne(t, one, buyerId);
    await t.redis.del(lockOf(buyerId));
    // One unit of a sale per buyer doesn't depend on the lock.
    expect(await ask(one, buyerId)).toMatchObject({ kind: 'held' });
    const second = await winOne(t, other, buyerId);
    await end(one, first);
    expect(await t.redis.get(lockOf(buyerId))).toBe(second.claimId);
    expect(await ask(third, buyerId)).toMatchObject({ kind: 'too_soon' });
  });

  test('unlocking in two steps, GET and then DEL, deletes the lock of the next purchase', async () => {
    const buyerId = someone();
    const getThenDelete = async (claimId: string, meanwhile: () => Promise<unknown>) => {
      const owner = await t.redis.get(lockOf(buyerId));
      await meanwhile();
      if (owner === claimId) await t.redis.del(lockOf(buyerId));
    };
    const [one, other] = [await oneAtATime(), await oneAtATime()];
    const first = await winOne(t, one, buyerId);
    await getThenDelete(first.claimId, async () => {
      await t.redis.del(lockOf(buyerId)); // The lock expires.
      await winOne(t, other, buyerId);
    });
    expect(await t.redis.exists(lockOf(buyerId))).toBe(0);
    expect(await ask(await oneAtATime(), buyerId)).toMatchObject({ kind: 'won' });
  });

  test('a promoted buyer takes the lock', async () => {
    const sale = await oneAtATime({ units: 1, standbyFactor: 1 });
    const first = await winOne(t, sale, someone());
    const buyerId = someone();
    await win(t, sale, buyerId);
    expect(await t.redis.exists(lockOf(buyerId))).toBe(0);
    const [outcome] = await end(sale, first);
    expect(outcome).toMatchObject({ kind: 'promoted', claim: { claimId: await t.redis.get(lockOf(buyerId)) } });
  });

  test('a promoted buyer keeps the lock of a purchase that began meanwhile', async () => {
    const [one, other] = [await oneAtATime({ units: 1, standbyFactor: 1 }), await oneAtATime()];
    const first = await winOne(t, one, someone());
    const buyerId = someone();
    await win(t, one, buyerId);
    const bought = await winOne(t, other, buyerId);
    const [outcome] = await end(one, first);
    expect(outcome).toMatchObject({ kind: 'promoted', claim: { buyerId } });
    expect(await t.redis.get(lockOf(buyerId))).toBe(bought.claimId);
  });

  test('a release unlocks also for a claim that Redis has lost, as after a rebuild', async () => {
    const [one, other] = [await oneAtATime(), await oneAtATime()];
    const won = await winOne(t, one, someone());
    await openSale(t.redis, one, {
      state: { claims: [], outbox: [], standby: [] },
      gate: (await readLoadedSale(t.redis, one.id))?.runId,
    });
    expect(await ask(other, won.buyerId)).toMatchObject({ kind: 'too_soon' });
    expect(await end(one, won)).toEqual([{ kind: 'not_held' }]);
    expect(await ask(other, won.buyerId)).toMatchObject({ kind: 'won' });
  });

  test('a buyer joins no standby during a purchase, and standby is no purchase', async () => {
    const [one, full] = [await oneAtATime(), await oneAtATime({ units: 1, standbyFactor: 2 })];
    await winOne(t, full, someone());
    const [busy, free] = [someone(), someone()];
    await winOne(t, one, busy);
    expect(await writesNothing(t.redis, () => ask(full, busy))).toMatchObject({ kind: 'too_soon' });
    expect(await ask(full, free)).toEqual({ kind: 'standby', position: 1 });
    expect(await ask(one, free)).toMatchObject({ kind: 'won' });
  });
});

describe('a pause between purchases', () => {
  test('the pause counts from the last win in any sale, and a refused click does not restart it', async () => {
    const [one, other] = [await withPause(100), await withPause(100)];
    const buyerId = someone();
    const won = await winOne(t, one, buyerId);
    const before = await t.redis.pttl(pauseOf(buyerId));
    await writesNothing(t.redis, async () => {
      for (let i = 0; i < 20; i += 1) expect(await ask(other, buyerId)).toMatchObject({ because: 'interval' });
    });
    expect(await t.redis.pttl(pauseOf(buyerId))).toBeLessThanOrEqual(before);
    await end(one, won);
    expect(await ask(one, buyerId)).toMatchObject({ kind: 'too_soon' });
    await t.redis.pexpire(pauseOf(buyerId), 1);
    await eventually(async () => expect(await ask(other, buyerId)).toMatchObject({ kind: 'won' }));
  });

  test('the pause lasts as long as the sale says', async () => {
    const { buyerId } = await winOne(t, await withPause(1_000_000), someone());
    const leftMs = await t.redis.pttl(pauseOf(buyerId));
    expect(leftMs).toBeGreaterThan(999_000_000);
    expect(leftMs).toBeLessThanOrEqual(1_000_000_000);
  });

  test('the pause counts for promoted buyers as well, and never becomes shorter', async () => {
    const [long, short] = [await withPause(100), await withPause(5, { units: 1, standbyFactor: 1 })];
    await winOne(t, short, someone());
    const buyerId = someone();
    await win(t, short, buyerId);
    await winOne(t, long, buyerId);
    await restock(t.redis, { ...short, units: 2 });
    expect(await promote(t.redis, short.id)).toHaveLength(1);
    expect(await t.redis.pttl(pauseOf(buyerId))).toBeGreaterThan(50_000);
  });
});

describe('a sale with one of both rules', () => {
  test('a pause takes no lock, and ignores that of another purchase', async () => {
    const [paused, locked] = [await withPause(100), await oneAtATime()];
    const { buyerId } = await winOne(t, locked, someone());
    expect(await ask(paused, buyerId)).toMatchObject({ kind: 'won' });
    const other = await winOne(t, paused, someone());
    expect(await t.redis.exists(lockOf(other.buyerId))).toBe(0);
  });

  test('one purchase at a time starts no pause, and ignores that of another sale', async () => {
    const [paused, locked] = [await withPause(100), await oneAtATime()];
    const { buyerId } = await winOne(t, paused, someone());
    expect(await ask(locked, buyerId)).toMatchObject({ kind: 'won' });
    const other = await winOne(t, locked, someone());
    expect(await t.redis.exists(pauseOf(other.buyerId))).toBe(0);
  });
});

describe('a sale without rules', () => {
  test('a sale of an older version, without the fields of rules, has none', async () => {
    const sale = await open({});
    await t.redis.hdel(keysOf(sale.id).sale, 'onePurchaseAtATime', 'minSecondsBetweenPurchases');
    const { buyerId } = await winOne(t, sale, someone());
    expect(await t.redis.exists(lockOf(buyerId), pauseOf(buyerId))).toBe(0);
  });

  test('a sale without rules touches no key of the buyer', async () => {
    const sale = await open({});
    const buyerId = someone();
    await t.redis.config('RESETSTAT');
    const won = await winOne(t, sale, buyerId);
    await paid(sale, won);
    const calls = await readCommandCalls(t.redis);
    for (const command of ['pttl', 'set', 'get']) expect(calls).not.toHaveProperty(command);
    expect(await t.redis.exists(lockOf(buyerId), pauseOf(buyerId))).toBe(0);
    await dropSale(t.redis, sale.id);
  });

  test('a sale without rules ignores the rules of other sales', async () => {
    const buyerId = someone();
    await winOne(t, await open({ onePurchaseAtATime: true, minSecondsBetweenPurchases: 60 }), buyerId);
    expect(await ask(await open({}), buyerId)).toMatchObject({ kind: 'won' });
  });
});

test('a key of another type instead of a lock never fails a script half-way', async () => {
  const sale = await open({ onePurchaseAtATime: true, minSecondsBetweenPurchases: 60 });
  const won = await winOne(t, sale, someone());
  await t.redis.del(lockOf(won.buyerId));
  await t.redis.rpush(lockOf(won.buyerId), 'of another type');
  expect(await end(sale, won)).toEqual([{ kind: 'released' }]);
  await expectTypesChecked(t.redis, [`${prefixOf(sale.id)}:claims`], () => ask(sale, someone()));
});
