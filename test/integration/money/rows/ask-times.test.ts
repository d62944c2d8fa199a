import { expect, test } from '@jest/globals';
import type { Database } from '#core/postgres/database.js';
import { askAgainLater, askNoMore, askNow, readUnheard, requestPayment } from '#core/postgres/money/payment.js';
import { paymentOf, paymentRowOf } from '../../../support/money/reading.js';
import { unpaidOrders } from '../../../support/money/unpaid-orders.js';
import { askToPay, payAtProvider, usePayments } from '../../../support/payments.js';
import { freezeClock } from '../../../support/postgres/frozen-clock.js';

const t = usePayments();
const HOUR = 3_600;
const ROLLED_BACK = 'the change is rolled back';

type Change = NonNullable<Parameters<typeof t.db.payment.updateMany>[0]>['data'];
const change = (orderId: string, data: Change) => t.db.payment.updateMany({ where: { orderId }, data });

const { place, endIn, clockMs } = unpaidOrders(t);

/** Expects that some work plans the next question about an order a pause after it, by Postgres's clock. */
async function expectPause(orderId: string, pauseMs: number, work: () => Promise<unknown>) {
  const before = await clockMs();
  await work();
  const after = await clockMs();
  const at = (await paymentRowOf(t, orderId)).askAt?.getTime() ?? 0;
  expect(at - pauseMs).toBeGreaterThanOrEqual(before - 1);
  expect(at - pauseMs).toBeLessThanOrEqual(after + 1);
}

const askLater = async (orderId: string) => askAgainLater(t.db, (await paymentOf(t, orderId)).id);

test('a provider is first asked 5 s after the request, or at once after a click that has waited', async () => {
  const { order } = await place('first-question');
  await expectPause(order.orderId, 5_000, () => requestPayment(t.db, order));
  const { order: waited } = await place('waited-question');
  const clickedAtMs = Math.floor(await clockMs()) - 6_000;
  await expectPause(waited.orderId, 0, () => requestPayment(t.db, { ...waited, clickedAtMs }));
  const { clickedAt, waitedMs } = await paymentRowOf(t, waited.orderId);
  expect(clickedAt?.getTime()).toBe(clickedAtMs);
  expect(waitedMs).toBeGreaterThanOrEqual(6_000);
  const { order: recent } = await place('recent-question');
  const recently = Math.floor(await clockMs());
  await expectPause(recent.orderId, 5_000, () => requestPayment(t.db, { ...recent, clickedAtMs: recently }));
});

test.each([
  { name: 'at the time of the 6th failure', asked: 5, endS: 2 * HOUR, pauseMs: 320_000 },
  { name: 'after ten minutes at most', asked: 6, endS: 2 * HOUR, pauseMs: 600_000 },
  { name: 'after ten minutes, however often it was asked', asked: 5_000, endS: 2 * HOUR, pauseMs: 600_000 },
  { name: 'with back-off after the deadline', asked: 1, endS: -HOUR, pauseMs: 20_000 },
  { name: 'with back-off for a day after the deadline', asked: 1, endS: 60 - 24 * HOUR, pauseMs: 20_000 },
])('a provider is asked again $name', async ({ asked, endS, pauseMs }) => {
  const { claim } = await askToPay(t, `asked-${asked}-${endS > 0 ? 'before' : endS}`);
  await change(claim.claimId, { asked });
  await endIn(claim.claimId, endS);
  await expectPause(claim.claimId, pauseMs, () => askLater(claim.claimId));
  expect((await paymentRowOf(t, claim.claimId)).asked).toBe(asked + 1);
});

/** Plans the next question about an order whose deadline is some seconds from now, and returns the pause before it, in s. */
async function pauseBefore(orderId: string, endS: number): Promise<number | null | undefined> {
  const { id } = await paymentOf(t, orderId);
  let pauseS: number | null | undefined;
  const work = t.db.$transaction(async tx => {
    await freezeClock(tx);
    await tx.$executeRaw`UPDATE orders SET version = version + 1,
      pay_by = clock_timestamp() + ${endS}::float8 * interval '1 second' WHERE id = ${orderId}::uuid`;
    await askAgainLater(tx as Database, id);
    const [row] = await tx.$queryRaw<{ pause: number | null }[]>`
      SELECT extract(epoch FROM ask_at - clock_timestamp())::float8 AS pause FROM payments WHERE id = ${id}`;
    pauseS = row?.pause;
    throw new Error(ROLLED_BACK);
  });
  await expect(work).rejects.toThrow(ROLLED_BACK);
  return pauseS;
}

test.each([
  { endS: 2 * HOUR, pauseS: 320 },
  { endS: 323, pauseS: 320 },
  { endS: 322, pauseS: 319 },
  { endS: 4.001, pauseS: 1.001 },
  { endS: 4, pauseS: 6 },
  { endS: 0.001, pauseS: 2.001 },
  { endS: 0, pauseS: 320 },
  { endS: -24 * HOUR, pauseS: 320 },
  { endS: -24 * HOUR - 0.001, pauseS: null },
])('with the deadline in $endS s the question is asked in $pauseS s', async ({ endS, pauseS }) => {
  const { claim } = await askToPay(t, `edge-${`${endS}`.replace('.', '-')}`);
  await change(claim.claimId, { asked: 5 });
  expect(await pauseBefore(claim.claimId, endS)).toBe(pauseS);
});

test('a day after the deadline nobody asks about an unpaid order, but still about one with news', async () => {
  const { claim } = await askToPay(t, 'day');
  await endIn(claim.claimId, -24 * HOUR - 1);
  const { claim: failed } = await askToPay(t, 'day-failed');
  await change(failed.claimId, { status: 'failed' });
  await endIn(failed.claimId, -24 * HOUR - 1);
  await askLater(failed.claimId);
  expect((await paymentRowOf(t, failed.claimId)).askAt).toBeNull();
  await askLater(claim.claimId);
  const silent = await paymentRowOf(t, claim.claimId);
  expect(silent.askAt).toBeNull();
  await askLater(claim.claimId);
  expect(await paymentRowOf(t, claim.claimId)).toEqual(silent);
  const { claim: paid } = await payAtProvider(t, 'news');
  await endIn(paid.claimId, -24 * HOUR - 1);
  const { id } = await paymentOf(t, paid.claimId);
  await expectPause(paid.claimId, 0, () => t.db.$transaction(tx => askNow(tx, id)));
  await change(paid.claimId, { asked: 1 });
  await expectPause(paid.claimId, 20_000, () => askLater(paid.claimId));
  await t.db.$transaction(tx => askNoMore(tx, id));
  expect((await paymentRowOf(t, paid.claimId)).askAt).toBeNull();
});

test('the payments to ask about are read, the longest due first', async () => {
  const orders: string[] = [];
  for (const buyerId of ['second', 'first', 'later']) orders.push((await askToPay(t, buyerId)).claim.claimId);
  const [second = '', first = '', later = ''] = orders;
  await change(second, { askAt: new Date(2_000) });
  await change(first, { askAt: new Date(1_000) });
  await change(later, { askAt: new Date(Date.now() + HOUR * 1_000) });
  const unheard = (await readUnheard(t.db, 100)).map(({ orderId }) => orderId);
  expect(unheard.slice(0, 2)).toEqual([first, second]);
  expect(unheard).not.toContain(later);
  expect((await readUnheard(t.db, 1)).map(({ orderId }) => orderId)).toEqual([first]);
});
