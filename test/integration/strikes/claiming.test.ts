import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { STRUCK_FROM } from '#core/draw/lot.js';
import { type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { release } from '#core/redis/claims/release.js';
import { keysOf } from '#core/redis/keys.js';
import { restock, setSale } from '#core/redis/sale/sale.js';
import { readStanding } from '#core/redis/sale/standing.js';
import { readScript } from '#core/redis/scripts.js';
import type { Claim } from '#core/rules/claim.js';
import { type OrderReason, STRIKING_REASONS } from '#core/rules/order.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const ask = async (sale: Sale, buyerId: string): Promise<ClaimOutcome | undefined> =>
  (await claim(t.redis, sale.id, [{ buyerId, claimId: randomUUID() }]))[0];

const end = (sale: Sale, won: Claim, reason: OrderReason = 'unpaid') =>
  release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason, freesUnit: true }]);

const recordOf = async (sale: Sale, buyerId: string) => (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId);

/** Lets the units of a sale be free for a minute. */
const waitAMinute = (sale: Sale) => t.redis.hincrby(keysOf(sale.id).sale, 'freeAtMs', -60_000);

/** Opens a sale in which a buyer has strikes, one unit is taken, and none is free. */
async function saleWithStruck(wanted: Partial<Sale> = {}, strikes = 1): Promise<{ sale: Sale; held: Claim }> {
  const sale = await openTestSale(t, { units: 1, unpaidLimit: 2, ...wanted });
  for (let i = 0; i < strikes; i += 1) {
    await waitAMinute(sale);
    await end(sale, await winOne(t, sale, 'struck'));
  }
  return { sale, held: await winOne(t, sale, 'holder') };
}

describe('a strike', () => {
  test.each<[OrderReason, number | undefined]>([
    ['unpaid', 1],
    ['cancelled_by_buyer', 1],
    ['insufficient_funds', 1],
    ['provider_failed', undefined],
    ['lost', undefined],
    ['not_placed', undefined],
    ['refunded_by_shop', undefined],
  ])('%s: %p', async (reason, strikes) => {
    const sale = await openTestSale(t, { unpaidLimit: 2 });
    await end(sale, await winOne(t, sale, 'ann'), reason);
    expect((await recordOf(sale, 'ann'))?.strikes).toBe(strikes);
    expect(STRIKING_REASONS.includes(reason)).toBe(strikes === 1);
    expect(new RegExp(`STRIKING = .*${reason} = true`).test(readScript('release'))).toBe(strikes === 1);
  });

  test('is counted in no sale without a limit', async () => {
    const sale = await openTestSale(t, { unpaidLimit: 0 });
    for (let i = 0; i < 3; i += 1) await end(sale, await winOne(t, sale, 'ann'));
    expect(await ask(sale, 'ann')).toMatchObject({ kind: 'won' });
    expect((await recordOf(sale, 'ann'))?.strikes).toBeUndefined();
  });

  test('stays with the next claim, and counts with it', async () => {
    const { sale } = await saleWithStruck({ units: 2 });
    await waitAMinute(sale);
    const again = await winOne(t, sale, 'struck');
    expect(await recordOf(sale, 'struck')).toMatchObject({ status: 'queued', strikes: 1 });
    await end(sale, again, 'cancelled_by_buyer');
    expect((await recordOf(sale, 'struck'))?.strikes).toBe(2);
  });
});

describe('at the limit', () => {
  test('a buyer gets nothing, also when units are free for long', async () => {
    const { sale, held } = await saleWithStruck({ units: 1, standbyFactor: 5 }, 2);
    expect(await ask(sale, 'struck')).toEqual({ kind: 'unpaid_limit' });
    await end(sale, held, 'lost');
    await waitAMinute(sale);
    expect(await ask(sale, 'struck')).toEqual({ kind: 'unpaid_limit' });
    expect(await ask(sale, 'other')).toMatchObject({ kind: 'won' });
  });

  test('one strike of one is the limit', async () => {
    const { sale } = await saleWithStruck({ unpaidLimit: 1 });
    expect(await ask(sale, 'struck')).toEqual({ kind: 'unpaid_limit' });
  });
});

describe('without a line, a free unit is the struck buyer’s', () => {
  test('only after the others had the time to click', async () => {
    const { sale, held } = await saleWithStruck();
    expect(await ask(sale, 'struck')).toEqual({ kind: 'sold_out' });
    await end(sale, held, 'lost');
    const refused = await ask(sale, 'struck');
    expect(refused).toMatchObject({ kind: 'others_first' });
    const { waitMs = 0 } = refused as { waitMs?: number };
    expect(waitMs).toBeGreaterThan(5_000);
    expect(waitMs).toBeLessThanOrEqual(10_000);
    await waitAMinute(sale);
    expect(await ask(sale, 'struck')).toMatchObject({ kind: 'won' });
  });

  test('with a shorter time to pay, after that time', async () => {
    const { sale, held } = await saleWithStruck({ retryPayWithinSeconds: 3 });
    await end(sale, held, 'lost');
    const refused = (await ask(sale, 'struck')) as { waitMs: number };
    expect(refused.waitMs).toBeLessThanOrEqual(3_000);
  });

  test.each<[string, (sale: Sale) => Promise<unknown>]>([
    ['a restock', sale => restock(t.redis, { ...sale, units: 5 })],
    [
      'a pause',
      async sale => {
        await restock(t.redis, { ...sale, units: 5 });
        await waitAMinute(sale);
        await setSale(t.redis, sale.id, { state: 'paused' });
        await setSale(t.redis, sale.id, { state: 'open' });
      },
    ],
  ])('and the time begins with %s', async (_what, change) => {
    const { sale } = await saleWithStruck();
    await change(sale);
    expect(await ask(sale, 'struck')).toMatchObject({ kind: 'others_first' });
    expect(await ask(sale, 'other')).toMatchObject({ kind: 'won' });
  });
});

describe('with a line', () => {
  test('a struck buyer stands behind everybody who comes later', async () => {
    const { sale, held } = await saleWithStruck({ standbyFactor: 5 });
    expect(await ask(sale, 'struck')).toEqual({ kind: 'standby', position: 1 });
    expect(await ask(sale, 'later')).toEqual({ kind: 'standby', position: 1 });
    expect(await ask(sale, 'struck')).toEqual({ kind: 'standby', position: 2 });
    const [given] = await end(sale, held, 'lost');
    expect(given).toMatchObject({ kind: 'promoted', claim: { buyerId: 'later' } });
    if (given?.kind === 'promoted') await end(sale, given.claim, 'lost');
    expect(await recordOf(sale, 'struck')).toMatchObject({ status: 'queued', strikes: 1 });
  });

  test('a struck buyer takes the room of nobody, and has some', async () => {
    const { sale } = await saleWithStruck({ standbyFactor: 1 });
    expect(await ask(sale, 'struck')).toEqual({ kind: 'standby', position: 1 });
    expect((await readStanding(t.redis, sale.id)).waiting).toBe(0);
    expect(await ask(sale, 'later')).toEqual({ kind: 'standby', position: 1 });
    expect(await ask(sale, 'last')).toEqual({ kind: 'sold_out' });
    expect((await readStanding(t.redis, sale.id)).waiting).toBe(1);
  });

  test('the struck ones have as much room as the others', async () => {
    const sale = await openTestSale(t, { units: 2, standbyFactor: 1, unpaidLimit: 2 });
    const names = ['a', 'b', 'c'];
    for (const name of names) await end(sale, await winOne(t, sale, name));
    for (const name of ['x', 'y']) await winOne(t, sale, name);
    const kinds = [];
    for (const name of names) kinds.push((await ask(sale, name))?.kind);
    expect(kinds).toEqual(['standby', 'standby', 'sold_out']);
    const tickets = await t.redis.zmscore(keysOf(sale.id).standby, 'a', 'b');
    expect(tickets.map(Number)).toEqual([STRUCK_FROM + 1, STRUCK_FROM + 2]);
  });

  test('others pass the struck ones for free units', async () => {
    const { sale } = await saleWithStruck({ standbyFactor: 5 });
    await ask(sale, 'struck');
    await restock(t.redis, { ...sale, units: 2 });
    expect(await ask(sale, 'other')).toMatchObject({ kind: 'won' });
    expect(await ask(sale, 'struck')).toEqual({ kind: 'standby', position: 1 });
  });
});
