import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { regrab } from '#core/redis/claims/regrab.js';
import { promote, release } from '#core/redis/claims/release.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { allKeysOf, keysOf } from '#core/redis/keys.js';
import { Reservation } from '#core/redis/purchases/reservation.js';
import { readRulesApart } from '#core/redis/purchases/rules.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readLoadedSale, restock } from '#core/redis/sale/sale.js';
import { runScript } from '#core/redis/scripts.js';
import type { Shards } from '#core/redis/shards.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { locksOf, PRIMARIES, useCluster } from '../../support/redis/cluster.js';
import { aClaim, aSale, win, winOne } from '../../support/sales.js';

// The rules about one buyer bind sales on different nodes of a Redis Cluster, by locks on the node of the buyer.

const c = useCluster();

/** A reservation ends by itself after this time, in ms. */
const RESERVED_MS = 30_000;

const someone = () => `buyer-${randomUUID().slice(0, 8)}`;
let primary = 0;

/** Opens a sale, each on another node than the one before. */
async function open(wanted: Partial<Sale>): Promise<Sale> {
  primary += 1;
  const sale = aSale({ id: await c.idOn(primary % PRIMARIES), ...wanted });
  await openSale(c.redis, sale);
  return sale;
}
const oneAtATime = (wanted: Partial<Sale> = {}) => open({ onePurchaseAtATime: true, ...wanted });
const withPause = (seconds: number, wanted: Partial<Sale> = {}) =>
  open({ minSecondsBetweenPurchases: seconds, ...wanted });

async function ask(sale: Sale, buyerId: string, redis: Shards = c.redis): Promise<ClaimOutcome> {
  const [outcome] = await claim(redis, sale.id, [{ buyerId, claimId: randomUUID() }]);
  if (!outcome) throw new Error('no outcome');
  return outcome;
}

const lockOf = (buyerId: string) => c.redis.of(buyerId).get(locksOf(buyerId).lock);
const typesOf = (buyerId: string) =>
  Promise.all(Object.values(locksOf(buyerId)).map(key => c.redis.of(buyerId).type(key)));
/** Nobody waits for the lock of a claim: the reservation holds until then. */
const untilConfirmed = ({ buyerId, claimId }: Claim) =>
  eventually(async () => expect(await lockOf(buyerId)).toBe(claimId));
const end = (sale: Sale, ended: Claim) =>
  release(c.redis, sale.id, [{ ...ended, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
const freeOf = async (sale: Sale) => (await readLoadedSale(c.redis, sale.id))?.remaining;

/** Takes the lock of a buyer as an attempt that dies before its claim. */
const reserve = async (sale: Sale, buyerId: string): Promise<Reservation> => {
  const rules = await readRulesApart(c.redis, sale.id);
  if (!rules) throw new Error('the sale has no rules');
  return Reservation.take(c.redis, { saleId: sale.id, buyerIds: [buyerId], rules });
};

describe('1,000 concurrent buys by one buyer over 5 sales on 3 nodes', () => {
  const RULES: Partial<Sale>[] = [
    { onePurchaseAtATime: true },
    { minSecondsBetweenPurchases: 600 },
    { onePurchaseAtATime: true, minSecondsBetweenPurchases: 600 },
  ];

  test.each(RULES)('exactly one buy is won with %j', async rules => {
    const sales = await Promise.all(Array.from({ length: 5 }, () => open({ units: 300, ...rules })));
    const apis = [c.redis, await c.connect(), await c.connect()];
    const buyerId = someone();
    // A node that answers too late for its locks refuses a click, which is then repeated.
    const click = async (i: number): Promise<ClaimOutcome | undefined> => {
      const outcome = await ask(sales[i % 5] as Sale, buyerId, apis[i % 3]);
      return outcome?.kind === 'refused' && outcome.refusal === 'locks_away' ? click(i) : outcome;
    };
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, (_, i) => click(i)));
    const won = outcomes.filter(outcome => outcome?.kind === 'won');
    expect(won).toHaveLength(1);
    expect(new Set(outcomes.map(outcome => outcome?.kind))).toEqual(new Set(['won', 'held', 'too_soon']));
    const free = await Promise.all(sales.map(freeOf));
    expect(free.sort()).toEqual([299, 300, 300, 300, 300]);
    const nothing = ['string', 'none'];
    await eventually(async () => expect(nothing).toEqual(expect.arrayContaining(await typesOf(buyerId))));
  });
});

describe('one purchase at a time', () => {
  test('a sale on another node is refused until the first purchase is paid or has ended', async () => {
    const [one, other, third] = [await oneAtATime(), await oneAtATime(), await oneAtATime()];
    const buyerId = someone();
    const first = await winOne(c, one, buyerId);
    expect(await ask(other, buyerId)).toEqual({ kind: 'too_soon', because: 'purchase', waitMs: expect.any(Number) });
    expect(await ask(one, buyerId)).toMatchObject({ kind: 'held' });
    await untilConfirmed(first);
    await recordStatus(c.redis, one.id, [{ ...first, status: 'pending_payment', payByMs: 9_000 }]);
    expect(await ask(other, buyerId)).toMatchObject({ kind: 'too_soon' });
    await recordStatus(c.redis, one.id, [{ ...first, status: 'paid' }]);
    const second = await winOne(c, other, buyerId);
    expect(await ask(third, buyerId)).toMatchObject({ kind: 'too_soon' });
    await untilConfirmed(second);
    await end(other, second);
    expect(await ask(third, buyerId)).toMatchObject({ kind: 'won' });
  });

  test('the lock holds the claim’s id, and expires after the time to pay and a margin', async () => {
    // The time of the test makes no difference to it.
    const won = await winOne(c, await oneAtATime({ payWithinSeconds: 1_000_000 }), someone());
    await untilConfirmed(won);
    const leftMs = await c.redis.of(won.buyerId).pttl(locksOf(won.buyerId).lock);
    expect(leftMs).toBeGreaterThan(1_000_000_000);
    expect(leftMs).toBeLessThanOrEqual(1_000_060_000);
  });

  test('buyers who win nothing leave no lock, also in a batch with a winner', async () => {
    const sale = await oneAtATime({ units: 1, standbyFactor: 1 });
    const buyers = Array.from({ length: 20 }, someone);
    const [won] = await win(c, sale, ...buyers);
    expect(won?.buyerId).toBe(buyers[0]);
    await untilConfirmed(won as Claim);
    for (const buyerId of buyers.slice(1)) {
      await eventually(async () => expect(await typesOf(buyerId)).toEqual(['none', 'none']));
    }
    expect(await ask(await oneAtATime(), buyers[1] as string)).toMatchObject({ kind: 'won' });
  });

  test('a sale that has nothing to give, and one without rules, touch no node of a buyer', async () => {
    const [sold, free] = [await oneAtATime({ units: 1 }), await open({})];
    await winOne(c, sold, someone());
    const buyerId = someone();
    await c.redis.of(buyerId).rpush(locksOf(buyerId).lock, 'of another type');
    expect(await ask(sold, buyerId)).toEqual({ kind: 'sold_out' });
    expect(await ask(free, buyerId)).toMatchObject({ kind: 'won' });
    expect(await ask(await oneAtATime(), buyerId)).toMatchObject({ kind: 'too_soon', because: 'purchase' });
  });

  test('the end of a purchase leaves the lock of the next one', async () => {
    const [one, other] = [await oneAtATime(), await oneAtATime()];
    const first = await winOne(c, one, someone());
    await untilConfirmed(first);
    await c.redis.of(first.buyerId).del(locksOf(first.buyerId).lock); // The lock expires.
    const second = await winOne(c, other, first.buyerId);
    await untilConfirmed(second);
    await end(one, first);
    expect(await lockOf(first.buyerId)).toBe(second.claimId);
  });

  test('a promoted buyer takes the lock, and leaves that of a purchase that began meanwhile', async () => {
    const [one, other] = [await oneAtATime({ units: 2, standbyFactor: 1 }), await oneAtATime()];
    const winners = [await winOne(c, one, someone()), await winOne(c, one, someone())];
    const [buyerId, busy] = [someone(), someone()];
    await win(c, one, buyerId);
    await win(c, one, busy);
    const bought = await winOne(c, other, busy);
    await untilConfirmed(bought);
    const [free] = await end(one, winners[0] as Claim);
    expect(free).toMatchObject({ kind: 'promoted', claim: { claimId: await lockOf(buyerId) } });
    expect(await c.redis.of(buyerId).pttl(locksOf(buyerId).lock)).toBeGreaterThan(one.payWithinSeconds * 1_000);
    expect(await end(one, winners[1] as Claim)).toMatchObject([{ kind: 'promoted', claim: { buyerId: busy } }]);
    expect(await lockOf(busy)).toBe(bought.claimId);
  });

  test('a claim that comes back by late money, or is restored, has the lock', async () => {
    const sale = await oneAtATime();
    const ended = await winOne(c, sale, someone());
    await end(sale, ended);
    const again = { buyerId: ended.buyerId, endedClaimId: ended.claimId, claimId: randomUUID() };
    expect(await regrab(c.redis, sale.id, again)).toMatchObject({ kind: 'taken' });
    expect(await lockOf(ended.buyerId)).toBe(again.claimId);
    const lost = aClaim({ unit: 3 });
    expect(await restoreClaim(c.redis, sale.id, { ...lost, status: 'queued' })).toBe('restored');
    expect(await lockOf(lost.buyerId)).toBe(lost.claimId);
    const over = aClaim({ buyerId: someone() });
    await c.redis.of(over.buyerId).set(locksOf(over.buyerId).lock, over.claimId);
    expect(await restoreClaim(c.redis, sale.id, { ...over, status: 'cancelled' })).toBe('restored');
    expect(await lockOf(over.buyerId)).toBeNull();
  });
});

describe('a pause between purchases', () => {
  test('the pause counts from the last win on any node, and outlives the purchase', async () => {
    const [one, other] = [await withPause(100), await withPause(100)];
    const buyerId = someone();
    const won = await winOne(c, one, buyerId);
    await end(one, won);
    const refused = await ask(other, buyerId);
    expect(refused).toMatchObject({ kind: 'too_soon', because: 'interval' });
    const leftMs = await eventually(async () => {
      const left = await c.redis.of(buyerId).pttl(locksOf(buyerId).pause);
      expect(left).toBeGreaterThan(RESERVED_MS);
      return left;
    });
    expect(leftMs).toBeLessThanOrEqual(100_000);
    expect(await typesOf(buyerId)).toEqual(['none', 'string']);
    await c.redis.of(buyerId).pexpire(locksOf(buyerId).pause, 1);
    await eventually(async () => expect(await ask(other, buyerId)).toMatchObject({ kind: 'won' }));
  });

  test('the pause of a promoted buyer never becomes shorter', async () => {
    const [long, short] = [await withPause(100), await withPause(5, { units: 1, standbyFactor: 1 })];
    await winOne(c, short, someone());
    const buyerId = someone();
    await win(c, short, buyerId);
    await winOne(c, long, buyerId);
    await restock(c.redis, { ...short, units: 2 });
    expect(await promote(c.redis, short.id)).toHaveLength(1);
    await eventually(async () =>
      expect(await c.redis.of(buyerId).pttl(locksOf(buyerId).pause)).toBeGreaterThan(50_000),
    );
  });
});

describe('an attempt that dies between lock and claim', () => {
  test('keeps the buyer from other sales for 30 s at most, and from its own sale not at all', async () => {
    const [one, other] = [await oneAtATime(), await oneAtATime()];
    const buyerId = someone();
    await reserve(one, buyerId);
    const refused = await ask(other, buyerId);
    expect(refused).toMatchObject({ kind: 'too_soon', because: 'purchase' });
    expect((refused as { waitMs: number }).waitMs).toBeLessThanOrEqual(RESERVED_MS);
    const leftMs = await c.redis.of(buyerId).pttl(locksOf(buyerId).lock);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(RESERVED_MS);
    await untilConfirmed(await winOne(c, one, buyerId));
  });

  test('is forgotten once its time is over, also when the buyer has tried again and again', async () => {
    const [one, other] = [await oneAtATime({ units: 1, standbyFactor: 2 }), await oneAtATime()];
    await winOne(c, one, someone());
    const buyerId = someone();
    await reserve(one, buyerId);
    expect(await ask(one, buyerId)).toMatchObject({ kind: 'standby' });
    const { lock } = locksOf(buyerId);
    const [dead] = await eventually(async () => {
      const left = await c.redis.of(buyerId).zrange(lock, '0', '-1');
      expect(left).toHaveLength(1);
      return left;
    });
    // Its time is over.
    await c.redis.of(buyerId).zadd(lock, Date.now() - 1, dead as string);
    expect(await ask(one, buyerId)).toMatchObject({ kind: 'standby' });
    expect(await c.redis.of(buyerId).zscore(lock, dead as string)).toBeNull();
    await c.redis.of(buyerId).zadd(lock, Date.now() - 1, dead as string);
    expect(await ask(other, buyerId)).toMatchObject({ kind: 'won' });
  });

  test('makes no claim any more after 5 s, whatever its process has waited for', async () => {
    const sale = await oneAtATime();
    const args = [`${someone()} ${randomUUID().slice(13)}`, String(Date.now() - 1_000)];
    const reply = await runScript(c.redis.of(sale.id), 'claim', { keys: allKeysOf(sale.id), args });
    expect(reply).toMatchObject({ 0: 'needs_locks' });
    expect(await freeOf(sale)).toBe(3);
    const { argument } = await reserve(sale, someone());
    const { atMs } = (await readRulesApart(c.redis, sale.id)) as { atMs: number };
    expect(Number(argument) - atMs).toBeLessThanOrEqual(5_000);
  });

  test('takes no lock that a claim has, and gives none back', async () => {
    const [one, other] = [await oneAtATime(), await oneAtATime()];
    const buyerId = someone();
    const attempt = await reserve(one, buyerId);
    await c.redis.of(buyerId).del(locksOf(buyerId).lock); // It expires.
    const won = await winOne(c, other, buyerId);
    await untilConfirmed(won);
    attempt.resolve([{ ...aClaim(), buyerId }]);
    attempt.resolve([]);
    expect(await ask(one, buyerId)).toMatchObject({ kind: 'too_soon' });
    expect(await lockOf(buyerId)).toBe(won.claimId);
    await end(other, won);
    attempt.resolve([{ ...aClaim(), buyerId }]);
    expect(await ask(one, buyerId)).toMatchObject({ kind: 'won' });
  });
});

test('an attempt whose reservation has ended confirms none of a later attempt', async () => {
  const [one, other] = [await oneAtATime(), await oneAtATime()];
  const buyerId = someone();
  const late = await reserve(one, buyerId);
  await c.redis.of(buyerId).del(locksOf(buyerId).lock); // It expires.
  await reserve(other, buyerId);
  late.resolve([{ ...aClaim(), buyerId }]);
  expect(await typesOf(buyerId)).toEqual(['zset', 'none']);
  expect(await ask(other, buyerId)).toMatchObject({ kind: 'won' });
});

test('a frozen node holds up the buyers whose locks it has, and no others of the same batch', async () => {
  const sale = await oneAtATime({ id: await c.idOn(0), units: 10 });
  const [here, there] = [await c.idOn(0), await c.idOn(1)];
  const pid = Number(c.server.nodes[1]?.pid);
  process.kill(pid, 'SIGSTOP');
  const requests = [there, here].map(buyerId => ({ buyerId, claimId: randomUUID() }));
  const outcomes = await claim(c.redis, sale.id, requests).finally(() => process.kill(pid, 'SIGCONT'));
  expect(outcomes).toMatchObject([{ kind: 'refused', refusal: 'locks_away' }, { kind: 'won' }]);
  await eventually(async () => expect(await ask(sale, there)).toMatchObject({ kind: 'won' }));
  expect(await c.redis.of(sale.id).hlen(keysOf(sale.id).claims)).toBe(2);
});
