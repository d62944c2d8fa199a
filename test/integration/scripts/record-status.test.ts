import { describe, expect, test } from '@jest/globals';
import { recordStatus, type StatusRecord } from '#core/redis/claims/status.js';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { ClaimRecord, ClaimStatus } from '#core/rules/claim.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, openTestSale, win, winOne } from '../../support/sales.js';
import { expectTypesChecked, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const record = (sale: Sale, ...records: StatusRecord[]) => recordStatus(t.redis, sale.id, records);
const claimOf = async (sale: Sale, buyerId: string): Promise<ClaimRecord | undefined> =>
  (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId);

describe('recording where an order stands', () => {
  test('recording writes status, deadline and reason onto the claim, and clears the outbox', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    const placed = { ...won, status: 'pending_payment', payByMs: 7_000, reason: 'insufficient_funds' } as const;
    expect(await record(sale, placed)).toEqual([true]);
    const { claimId, unit } = won;
    expect(await claimOf(sale, 'a')).toEqual({
      claimId,
      unit,
      status: 'pending_payment',
      payByMs: 7_000,
      reason: 'insufficient_funds',
    });
    expect((await readSnapshot(t.redis, sale.id))?.outbox.size).toBe(0);
  });

  test('of several orders, recording tells for each whether its buyer still holds the claim', async () => {
    const sale = await openTestSale(t);
    const [a, b] = [await winOne(t, sale, 'a'), await winOne(t, sale, 'b')];
    const records = [a, aClaim(), { ...aClaim(), buyerId: 'b' }, b].map(one => ({ ...one, status: 'queued' }) as const);
    expect(await record(sale, ...records)).toEqual([true, false, false, true]);
  });

  test('a second call changes nothing', async () => {
    const sale = await openTestSale(t);
    const placed = { ...(await winOne(t, sale, 'a')), status: 'pending_payment', payByMs: 7_000 } as const;
    await record(sale, placed);
    expect(await writesNothing(t.redis, () => record(sale, placed))).toEqual([true]);
  });

  test('a reason comes and goes while the payment is due', async () => {
    const sale = await openTestSale(t);
    const placed = { ...(await winOne(t, sale, 'a')), status: 'pending_payment', payByMs: 7_000 } as const;
    await record(sale, { ...placed, reason: 'insufficient_funds' });
    await record(sale, placed);
    expect((await claimOf(sale, 'a'))?.reason).toBeUndefined();
  });

  test('the amount that went back of a paid order never sinks', async () => {
    const sale = await openTestSale(t);
    const paid = { ...(await winOne(t, sale, 'a')), status: 'paid' } as const;
    const amounts = [{}, { refundedMinor: 300 }, { refundedMinor: 100 }, {}];
    const stored: (number | undefined)[] = [];
    for (const amount of amounts) {
      await record(sale, { ...paid, ...amount });
      stored.push((await claimOf(sale, 'a'))?.refundedMinor);
    }
    expect(stored).toEqual([undefined, 300, 300, 300]);
  });

  test.each<[ClaimStatus, ClaimStatus]>([
    ['pending_payment', 'queued'],
    ['paid', 'pending_payment'],
    ['paid', 'queued'],
    ['cancelled', 'paid'],
    ['rejected', 'pending_payment'],
    ['refunded', 'paid'],
    ['cancelled', 'rejected'],
  ])('%s never becomes %s', async (status, earlier) => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await record(sale, { ...won, status });
    await writesNothing(t.redis, () => record(sale, { ...won, status: earlier }));
    expect((await claimOf(sale, 'a'))?.status).toBe(status);
  });

  test('claims of other buyers and other claims of the same buyer stay the same', async () => {
    const sale = await openTestSale(t);
    await winOne(t, sale, 'a');
    const strangers = [aClaim(), aClaim({ buyerId: 'a' })].map(claim => ({ ...claim, status: 'paid' as const }));
    expect(await writesNothing(t.redis, () => record(sale, ...strangers))).toEqual([false, false]);
  });

  test('one call records several orders, each with its own answer', async () => {
    const sale = await openTestSale(t);
    const [first, second] = await win(t, sale, 'a', 'b');
    if (!first || !second) throw new Error('both should have won');
    const records = [first, aClaim(), second].map(claim => ({ ...claim, status: 'paid' as const }));
    expect(await record(sale, ...records)).toEqual([true, false, true]);
  });
});

describe('guards', () => {
  test('an unknown or unverified sale is an error, and stays the same', async () => {
    const sale = await openTestSale(t);
    const paid = { ...(await winOne(t, sale, 'a')), status: 'paid' } as const;
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await writesNothing(t.redis, () => expect(record(sale, paid)).rejects.toThrow(NotVerified));
    const nowhere = { ...sale, id: 'nowhere' };
    await writesNothing(t.redis, () => expect(record(nowhere, paid)).rejects.toThrow('unknown_sale'));
  });

  test('a key of another type fails the script before its first write', async () => {
    const sale = await openTestSale(t);
    const paid = { ...(await winOne(t, sale, 'a')), status: 'paid' } as const;
    const { sale: sale_, claims, outbox } = keysOf(sale.id);
    await expectTypesChecked(t.redis, [sale_, claims, outbox], () => record(sale, paid));
  });

  test('a full Redis still records the status of orders', async () => {
    const sale = await openTestSale(t);
    const paid = { ...(await winOne(t, sale, 'a')), status: 'paid' } as const;
    expect(await whileFull(t.redis, () => record(sale, paid))).toEqual([true]);
    expect((await claimOf(sale, 'a'))?.status).toBe('paid');
  });

  test('a Redis without the script loads it again', async () => {
    const sale = await openTestSale(t);
    const paid = { ...(await winOne(t, sale, 'a')), status: 'paid' } as const;
    await t.redis.script('FLUSH');
    expect(await record(sale, paid)).toEqual([true]);
  });
});
