import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Pace } from '#core/maintenance/pace.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { rescueAll } from '#core/maintenance/rescue.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { applyEvent } from '#core/postgres/money/payment-report.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { updateSale } from '#core/postgres/sales.js';
import { keysOf } from '#core/redis/keys.js';
import { readGenerations } from '#core/redis/registry.js';
import { readRunId, setSale } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { orderOf, paidReport } from '../../support/money/reading.js';
import { askToPay, PRICE, payAtProvider, usePayments } from '../../support/payments.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';

// Rounds cost what has changed, and not how many sales there are.

const t = usePayments();

/** All that a fake clock could replace, but for `performance.now()`, by which reconcile decides what is due. */
const REAL = ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const;
const REAL_TIMERS = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;

let pace: Pace;

beforeEach(async () => {
  await t.redis.flushall();
  await t.db
    .$executeRaw`UPDATE sales SET closes_at = clock_timestamp() - interval '1 year', opens_at = clock_timestamp() - interval '2 years'`;
  jest.useFakeTimers({ doNotFake: [...REAL, ...REAL_TIMERS] });
  pace = new Pace();
});
afterEach(() => void jest.useRealTimers());

/** Lets time pass until changed sales are due, and quiet ones are not. */
async function untilQuiet(sales: Sale[]): Promise<void> {
  for (const { id } of sales) pace.compared(id, { tookMs: 1, isChanged: true });
  await t.db.$executeRaw`UPDATE payments SET updated_at = updated_at - interval '1 hour'`;
  do jest.advanceTimersByTime(4_000);
  while ((await comparedNow()).length > 0);
}

const comparedNow = async () => (await reconcileAll(t, pace)).map(({ saleId }) => saleId);
const statusOf = async ({ id }: Sale, buyerId: string) => (await readSnapshot(t.redis, id))?.claims.get(buyerId);

describe('a round of reconcile', () => {
  test('compares the sale that has changed, and reads nothing of 30 others', async () => {
    const sales = await Promise.all(Array.from({ length: 30 }, () => openTestSale(t)));
    await untilQuiet(sales);
    await t.redis.config('RESETSTAT');
    expect(await comparedNow()).toEqual([]);
    const calls = await readCommandCalls(t.redis);
    expect(Object.keys(calls)).not.toContain('lrange');
    // The registry and the marks of each bucket, and some commands of the round itself.
    expect(Object.values(calls).reduce((sum, count) => sum + count, 0)).toBeLessThan(150);

    await win(t, sales[7] as Sale, 'ann');
    expect(await comparedNow()).toEqual([sales[7]?.id]);
  });

  test('compares no more sales once its end is waited for, but leaves none behind that it has opened', async () => {
    class WaitedFor extends Pace {
      override isWaitedFor = () => true;
    }
    const [changed, shut] = [await openTestSale(t), await openTestSale(t)];
    const claim = await winOne(t, shut, 'bob');
    await placeOrders(t, { saleId: shut.id, claims: [claim] });
    await untilQuiet([changed, shut]);
    await cancelRow(t.db, shut.id, claim);
    await win(t, changed, 'ann');
    await setSale(t.redis, shut.id, { runId: 'another-run' });
    pace = new WaitedFor();
    expect(await comparedNow()).toEqual([shut.id]);
    expect((await statusOf(shut, 'bob'))?.status).toBe('cancelled');
    pace = new Pace();
    expect(await comparedNow()).toContain(changed.id);
  });

  test('opens a gate that a process has shut before it died', async () => {
    const sale = await openTestSale(t);
    await untilQuiet([sale]);
    await setSale(t.redis, sale.id, { runId: 'rebuild-of-a-dead-process' });
    await comparedNow();
    expect((await readSnapshot(t.redis, sale.id))?.runId).toBe(await readRunId(t.redis));
  });

  test('carries over an operator’s change that has reached only Postgres', async () => {
    const sale = await openTestSale(t);
    await untilQuiet([sale]);
    await updateSale(t.db, sale.id, { addUnits: 2 });
    expect(await comparedNow()).toEqual([sale.id]);
    expect(await readSnapshot(t.redis, sale.id)).toMatchObject({ units: 5, generation: 2 });
    expect((await readGenerations(t.redis)).get(sale.id)).toBe(2);
  });

  test('tells of a payment whose worker died after it was applied', async () => {
    const { sale, claim } = await askToPay(t, 'ann');
    await untilQuiet([sale]);
    await t.fake.pay(claim.claimId);
    const report = await paidReport(t, claim.claimId);
    await applyEvent(t.db, 'signed-webhook', { eventId: `evt_${claim.claimId}`, type: 'any', report });
    expect((await statusOf(sale, 'ann'))?.status).toBe('pending_payment');
    await comparedNow();
    expect((await statusOf(sale, 'ann'))?.status).toBe('paid');
  });

  test('tells of a part that was given back by a process that died before it could', async () => {
    const { sale, claim } = await payAtProvider(t, 'bob');
    await untilQuiet([sale]);
    const dying = beforeScript(t, 'record-status', () => Promise.reject(new Error('the process dies')));
    await refundOrderPartially(dying, { orderId: claim.claimId, amountMinor: 100, refundedMinor: 0 });
    await comparedNow();
    expect(await statusOf(sale, 'bob')).toMatchObject({ refundedMinor: 100 });
  });

  test('tells of a part that went into a wallet, if the process died as soon as the part was booked', async () => {
    const sale = await openTestSale(t, { priceMinor: PRICE, settlement: 'immediate' });
    await creditWallets(t.db, ['dora'], { amountMinor: PRICE, currency: 'EUR' });
    const claim = await winOne(t, sale, 'dora');
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    await untilQuiet([sale]);
    const dieIfBooked = async () => {
      if ((await orderOf(t, claim.claimId)).refundedMinor > 0n) throw new Error('the process is dead');
    };
    const dying = beforeScript(beforeScript(t, 'sadd', dieIfBooked), 'record-status', dieIfBooked);
    await refundOrderPartially(dying, { orderId: claim.claimId, amountMinor: 100, refundedMinor: 0 });
    await comparedNow();
    expect(await statusOf(sale, 'dora')).toMatchObject({ refundedMinor: 100 });
  });

  test('finds damage that no script has done, when the quiet sale is due', async () => {
    const sale = await openTestSale(t);
    await untilQuiet([sale]);
    await t.redis.lpop(keysOf(sale.id).stock);
    expect(await comparedNow()).toEqual([]);
    jest.advanceTimersByTime(8_000);
    expect(await comparedNow()).toEqual([sale.id]);
    expect((await readSnapshot(t.redis, sale.id))?.stock).toHaveLength(3);
  });
});

test('a round of rescue asks no sale in which nothing waits', async () => {
  const sales = await Promise.all(Array.from({ length: 30 }, () => openTestSale(t)));
  await win(t, sales[3] as Sale, 'ann');
  await t.redis.config('RESETSTAT');
  await rescueAll(t);
  expect(await readCommandCalls(t.redis)).toMatchObject({ smembers: 32, zrangebyscore: 1 });
});
