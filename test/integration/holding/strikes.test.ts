import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { promote, release } from '#core/redis/claims/release.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { readStatuses, recordStatus, setReason } from '#core/redis/claims/status.js';
import { keysOf } from '#core/redis/keys.js';
import { restock, setSale } from '#core/redis/sale/sale.js';
import { readStanding } from '#core/redis/sale/standing.js';
import type { OrderReason } from '#core/rules/order.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

// The scripts alone: buyers who have let units end without payment.

const t = useStores();

const ask = (sale: Sale, ...buyerIds: string[]): Promise<ClaimOutcome[]> =>
  claim(
    t.redis,
    sale.id,
    buyerIds.map(buyerId => ({ buyerId, claimId: randomUUID() })),
  );
const kinds = async (sale: Sale, ...buyerIds: string[]) => (await ask(sale, ...buyerIds)).map(({ kind }) => kind);

/** Ends the claim of a buyer, who wins it before. */
async function endOne(sale: Sale, buyerId: string, reason: OrderReason = 'unpaid'): Promise<void> {
  const won = await winOne(t, sale, buyerId);
  await release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason, freesUnit: true }]);
}

/** Lets units have been free for long. */
const waitLong = ({ id }: Sale) => t.redis.hset(keysOf(id).sale, 'freeAtMs', 0);
const strikesOf = async ({ id }: Sale, buyerId: string) =>
  (await readSnapshot(t.redis, id))?.claims.get(buyerId)?.strikes;
const standbyOf = async ({ id }: Sale) => (await readSnapshot(t.redis, id))?.standby;

describe('a strike', () => {
  test.each<[OrderReason, number | undefined]>([
    ['unpaid', 1],
    ['cancelled_by_buyer', 1],
    ['insufficient_funds', 1],
    ['lost', undefined],
    ['not_placed', undefined],
    ['provider_failed', undefined],
    ['refunded_by_shop', undefined],
    ['refunded_late_payment', undefined],
  ])('an end as %s counts %s', async (reason, strikes) => {
    const sale = await openTestSale(t, { unpaidLimit: 2 });
    await endOne(sale, 'ann', reason);
    expect(await strikesOf(sale, 'ann')).toBe(strikes);
  });

  test('does not exist in a sale without a limit', async () => {
    const sale = await openTestSale(t);
    for (let i = 0; i < 3; i += 1) await endOne(sale, 'ann');
    expect(await strikesOf(sale, 'ann')).toBeUndefined();
    expect(await t.redis.hexists(keysOf(sale.id).sale, 'freeAtMs')).toBe(0);
  });

  test('stays with the next claim of the buyer, and with each of its statuses', async () => {
    const sale = await openTestSale(t, { unpaidLimit: 2 });
    await endOne(sale, 'ann');
    await waitLong(sale);
    const won = await winOne(t, sale, 'ann');
    expect(await strikesOf(sale, 'ann')).toBe(1);
    await recordStatus(t.redis, sale.id, [{ ...won, status: 'paid' }]);
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('ann')).toMatchObject({ status: 'paid', strikes: 1 });
    await release(t.redis, sale.id, [{ ...won, status: 'refunded', reason: 'refunded_by_shop', freesUnit: true }]);
    expect(await strikesOf(sale, 'ann')).toBe(1);
  });

  test('counts once, however often a release is repeated', async () => {
    const sale = await openTestSale(t, { unpaidLimit: 2 });
    const won = await winOne(t, sale, 'ann');
    const end = { ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true } as const;
    await Promise.all(Array.from({ length: 5 }, () => release(t.redis, sale.id, [end])));
    expect(await strikesOf(sale, 'ann')).toBe(1);
  });

  test('is taken back when the money came late and is refunded', async () => {
    const sale = await openTestSale(t, { unpaidLimit: 2 });
    const { claimId } = await winOne(t, sale, 'ann');
    const end = { buyerId: 'ann', claimId, status: 'cancelled', reason: 'unpaid', freesUnit: true } as const;
    await release(t.redis, sale.id, [end]);
    const late = { buyerId: 'ann', claimId, reason: 'refunded_late_payment' } as const;
    for (let i = 0; i < 2; i += 1) await setReason(t.redis, sale.id, late);
    expect(await strikesOf(sale, 'ann')).toBeUndefined();
    expect(await kinds(sale, 'ann')).toEqual(['won']);
  });
});

describe('a buyer with as many strikes as the limit', () => {
  test('gets nothing more, and leaves no trace', async () => {
    const sale = await openTestSale(t, { unpaidLimit: 1, standbyFactor: 2 });
    await endOne(sale, 'ann');
    await waitLong(sale);
    expect(await writesNothing(t.redis, () => kinds(sale, 'ann'))).toEqual(['unpaid_limit']);
    expect(await kinds(sale, 'bob')).toEqual(['won']);
  });

  test('still holds a live claim', async () => {
    const sale = await openTestSale(t, { unpaidLimit: 1 });
    await endOne(sale, 'ann', 'lost');
    const held = await winOne(t, sale, 'ann');
    await t.redis.hset(keysOf(sale.id).claims, 'ann', `${held.claimId} ${held.unit} queued - - strikes=1`);
    expect(await kinds(sale, 'ann')).toEqual(['held']);
  });

  test('hears that the sale is closed or paused, like everybody', async () => {
    const sale = await openTestSale(t, { unpaidLimit: 1 });
    await endOne(sale, 'ann');
    for (const state of ['paused', 'closed'] as const) {
      await setSale(t.redis, sale.id, { state });
      expect(await ask(sale, 'ann')).toMatchObject([{ kind: 'refused', refusal: state }]);
    }
  });
});

describe('a free unit', () => {
  test('is for others first, for ten seconds since no unit was free', async () => {
    const sale = await openTestSale(t, { units: 1, unpaidLimit: 2 });
    await endOne(sale, 'ann');
    const [first] = await ask(sale, 'ann');
    expect(first).toEqual({ kind: 'others_first', waitMs: expect.any(Number) });
    const { waitMs } = first as Extract<ClaimOutcome, { kind: 'others_first' }>;
    expect(waitMs).toBeGreaterThan(8_000);
    expect(waitMs).toBeLessThanOrEqual(10_000);
    expect(await writesNothing(t.redis, () => kinds(sale, 'ann'))).toEqual(['others_first']);
    await waitLong(sale);
    expect(await kinds(sale, 'ann')).toEqual(['won']);
  });

  test.each([
    ['the time to pay a unit that came back', { retryPayWithinSeconds: 2 }, 2_000],
    ['the time to pay', { payWithinSeconds: 3 }, 3_000],
  ])('is for others not longer than %s', async (_what, wanted, mostMs) => {
    const sale = await openTestSale(t, { units: 1, unpaidLimit: 2, ...wanted });
    await endOne(sale, 'ann');
    const [outcome] = await ask(sale, 'ann');
    expect(outcome?.kind === 'others_first' && outcome.waitMs <= mostMs).toBe(true);
  });

  test('goes to others of the same call, in any order', async () => {
    const sale = await openTestSale(t, { units: 1, unpaidLimit: 2 });
    await endOne(sale, 'ann');
    await waitLong(sale);
    expect(await kinds(sale, 'ann', 'bob')).toEqual(['sold_out', 'won']);
  });

  test('that comes back beside other free units does not begin the time again', async () => {
    const sale = await openTestSale(t, { units: 3, unpaidLimit: 2 });
    await waitLong(sale);
    await endOne(sale, 'ann');
    expect(await kinds(sale, 'ann')).toEqual(['won']);
  });

  test.each<[string, (sale: Sale) => Promise<unknown>]>([
    ['a restock', sale => restock(t.redis, { ...sale, units: sale.units + 1 })],
    ['a unit that came back', sale => endOne(sale, 'bob')],
  ])('begins the time: %s', async (_what, free) => {
    const sale = await openTestSale(t, { units: 2, unpaidLimit: 2 });
    await endOne(sale, 'ann');
    await winOne(t, sale, 'dan');
    if (_what === 'a restock') await winOne(t, sale, 'eve');
    await waitLong(sale);
    await free(sale);
    expect(await kinds(sale, 'ann')).toEqual(['others_first']);
  });

  test('was nobody’s to take during a pause', async () => {
    const sale = await openTestSale(t, { units: 1, unpaidLimit: 2 });
    await endOne(sale, 'ann');
    await waitLong(sale);
    await setSale(t.redis, sale.id, { state: 'paused' });
    await setSale(t.redis, sale.id, { state: 'open' });
    expect(await kinds(sale, 'ann')).toEqual(['others_first']);
  });
});

describe('on standby a buyer with a strike', () => {
  /** A sale whose units are taken, and in which `ann` has a strike. */
  async function soldOut(wanted: Partial<Sale> = {}): Promise<Sale> {
    const sale = await openTestSale(t, { units: 2, standbyFactor: 1, unpaidLimit: 2, ...wanted });
    await endOne(sale, 'ann');
    await winOne(t, sale, 'holder1');
    await winOne(t, sale, 'holder2');
    return sale;
  }

  test('is behind everybody who comes later, and each learns a true position', async () => {
    const sale = await soldOut();
    expect(await ask(sale, 'ann', 'bob')).toEqual([
      { kind: 'standby', position: 2 },
      { kind: 'standby', position: 1 },
    ]);
    expect(await ask(sale, 'cem')).toEqual([{ kind: 'standby', position: 2 }]);
    expect(await standbyOf(sale)).toEqual(['bob', 'cem', 'ann']);
    expect(await readStatuses(t.redis, sale.id, ['ann', 'cem'])).toMatchObject([{ position: 3 }, { position: 2 }]);
  });

  test('takes no room of the others, and is in no count of them', async () => {
    const sale = await soldOut();
    await ask(sale, 'ann');
    expect((await readStanding(t.redis, sale.id)).waiting).toBe(0);
    expect(await kinds(sale, 'bob', 'cem', 'dan')).toEqual(['standby', 'standby', 'sold_out']);
    expect((await readStanding(t.redis, sale.id)).waiting).toBe(2);
    await leaveStandby(t.redis, sale.id, 'ann');
    expect((await readStanding(t.redis, sale.id)).waiting).toBe(2);
  });

  test('does not join behind a full line, nor when as many with strikes wait', async () => {
    const sale = await soldOut({ units: 3 });
    for (const buyerId of ['s1', 's2', 's3']) {
      await endOne(sale, buyerId);
    }
    await winOne(t, sale, 'holder3');
    expect(await kinds(sale, 's1', 's2', 's3', 'ann')).toEqual(['standby', 'standby', 'standby', 'sold_out']);
    expect(await kinds(sale, 'b1', 'b2', 'b3')).toEqual(['standby', 'standby', 'standby']);
    await leaveStandby(t.redis, sale.id, 's1');
    expect(await kinds(sale, 'ann')).toEqual(['sold_out']);
    await leaveStandby(t.redis, sale.id, 'b1');
    expect(await kinds(sale, 'ann')).toEqual(['standby']);
  });

  test('gets a unit that comes back only when nobody else waits', async () => {
    const sale = await soldOut();
    await ask(sale, 'ann');
    await ask(sale, 'bob');
    const [one, other] = await ask(sale, 'holder1', 'holder2');
    const end = (outcome: ClaimOutcome | undefined, buyerId: string) => {
      if (outcome?.kind !== 'held') throw new Error(`${buyerId} should hold a unit`);
      return { ...outcome.claim, buyerId, status: 'cancelled', reason: 'lost', freesUnit: true } as const;
    };
    expect(await release(t.redis, sale.id, [end(one, 'holder1')])).toMatchObject([{ claim: { buyerId: 'bob' } }]);
    expect(await release(t.redis, sale.id, [end(other, 'holder2')])).toMatchObject([{ claim: { buyerId: 'ann' } }]);
    expect(await strikesOf(sale, 'ann')).toBe(1);
  });

  test('gets the units of a restock after all others', async () => {
    const sale = await soldOut();
    await ask(sale, 'ann');
    await ask(sale, 'bob');
    await restock(t.redis, { ...sale, units: sale.units + 1 });
    expect((await promote(t.redis, sale.id)).map(({ buyerId }) => buyerId)).toEqual(['bob']);
  });

  test('is passed by somebody who comes while a unit is free', async () => {
    const sale = await soldOut();
    await ask(sale, 'ann');
    await restock(t.redis, { ...sale, units: sale.units + 1 });
    expect(await kinds(sale, 'bob')).toEqual(['won']);
  });

  test('leaves it for a unit if the strike was taken back meanwhile', async () => {
    const sale = await soldOut();
    await ask(sale, 'ann');
    const claimId = (await readSnapshot(t.redis, sale.id))?.claims.get('ann')?.claimId ?? '';
    await setReason(t.redis, sale.id, { buyerId: 'ann', claimId, reason: 'refunded_late_payment' });
    await restock(t.redis, { ...sale, units: sale.units + 1 });
    expect(await kinds(sale, 'ann')).toEqual(['won']);
    expect(await standbyOf(sale)).toEqual([]);
  });
});
