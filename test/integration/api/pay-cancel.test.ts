import { describe, expect, jest, test } from '@jest/globals';
import { readPayClicks } from '#core/redis/claims/pay-click.js';
import { release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import type { Sale } from '#core/rules/sale.js';
import { useApi } from '../../support/http/api.js';

const api = useApi();

const buy = async (sale: Sale, buyerId: string) => {
  const { body } = await api.post(`/buy/${sale.id}`, buyerId);
  return String(body.claimId);
};

const jobsOf = async (name: 'pay-order' | 'cancel-order', sale: Sale) => {
  const jobs = await api.ctx.queues.of('')[name].getJobs(['waiting']);
  return jobs.filter(job => job.data.saleId === sale.id).map(job => job.data);
};

/** Writes what the worker writes once the order is placed, paid or ended. */
const place = (sale: Sale, buyerId: string, claimId: string) =>
  recordStatus(api.redis, sale.id, [{ buyerId, claimId, status: 'pending_payment', payByMs: Date.now() + 60_000 }]);
const payFor = (sale: Sale, buyerId: string, claimId: string) =>
  recordStatus(api.redis, sale.id, [{ buyerId, claimId, status: 'paid' }]);
const end = (sale: Sale, buyerId: string, claimId: string, status: 'cancelled' | 'rejected' | 'refunded') =>
  release(api.redis, sale.id, [{ buyerId, claimId, status, reason: 'unpaid', freesUnit: true }]);

describe('POST /pay/:saleId', () => {
  test('a placed order: 202, and a repeat adds no second job', async () => {
    const sale = await api.open();
    const claimId = await buy(sale, 'ann');
    await place(sale, 'ann', claimId);
    for (const _ of [1, 2, 3]) {
      expect(await api.post(`/pay/${sale.id}`, 'ann')).toMatchObject({
        status: 202,
        body: { status: 'pending_payment', pollAfterMs: expect.any(Number) },
      });
    }
    expect(await jobsOf('pay-order', sale)).toEqual([{ saleId: sale.id, claimId, buyerId: 'ann' }]);
  });

  test('a placed order while the queue takes no job: 202, and the click is kept', async () => {
    const sale = await api.open();
    const claimId = await buy(sale, 'ann');
    await place(sale, 'ann', claimId);
    const failing = jest
      .spyOn(api.ctx.queues.of('')['pay-order'], 'add')
      .mockRejectedValue(new Error('the queue is away'));
    expect(await api.post(`/pay/${sale.id}`, 'ann')).toMatchObject({ status: 202 });
    failing.mockRestore();
    expect(await readPayClicks(api.redis, sale.id, { olderThanMs: 0, limit: 10 })).toMatchObject([
      { claimId, buyerId: 'ann' },
    ]);
  });

  test('an order whose time to pay is over: 409', async () => {
    const sale = await api.open();
    const claimId = await buy(sale, 'ann');
    await recordStatus(api.redis, sale.id, [
      { buyerId: 'ann', claimId, status: 'pending_payment', payByMs: Date.now() - 1 },
    ]);
    expect(await api.post(`/pay/${sale.id}`, 'ann')).toMatchObject({
      status: 409,
      body: { code: 'not_payable', detail: 'the time to pay is over' },
    });
    expect(await jobsOf('pay-order', sale)).toEqual([]);
  });

  test('a paid order: 202, and nothing is queued', async () => {
    const sale = await api.open();
    await payFor(sale, 'ann', await buy(sale, 'ann'));
    expect(await api.post(`/pay/${sale.id}`, 'ann')).toMatchObject({ status: 202, body: { status: 'paid' } });
    expect(await jobsOf('pay-order', sale)).toEqual([]);
  });

  test('an order that is not placed yet: 409 with Retry-After', async () => {
    const sale = await api.open();
    await buy(sale, 'ann');
    const answer = await api.post(`/pay/${sale.id}`, 'ann');
    expect(answer).toMatchObject({ status: 409, body: { code: 'not_payable' } });
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  test.each(['cancelled', 'rejected', 'refunded'] as const)('an order that is %s: 409', async status => {
    const sale = await api.open();
    const claimId = await buy(sale, 'ann');
    await end(sale, 'ann', claimId, status);
    expect(await api.post(`/pay/${sale.id}`, 'ann')).toMatchObject({ status: 409, body: { code: 'not_payable' } });
  });

  test('no order, or a position on standby: 409', async () => {
    const sale = await api.open({ units: 1, standbyFactor: 1 });
    await buy(sale, 'ann');
    await buy(sale, 'bob');
    for (const buyerId of ['bob', 'cem']) {
      expect(await api.post(`/pay/${sale.id}`, buyerId)).toMatchObject({ status: 409, body: { code: 'not_payable' } });
    }
  });
});

describe('POST /cancel/:saleId', () => {
  test('an order, placed or not: 202, and a repeat adds no second job', async () => {
    const sale = await api.open();
    const claimId = await buy(sale, 'ann');
    expect(await api.post(`/cancel/${sale.id}`, 'ann')).toMatchObject({ status: 202, body: { status: 'queued' } });
    await place(sale, 'ann', claimId);
    expect(await api.post(`/cancel/${sale.id}`, 'ann')).toMatchObject({
      status: 202,
      body: { status: 'pending_payment', pollAfterMs: expect.any(Number) },
    });
    expect(await jobsOf('cancel-order', sale)).toEqual([{ saleId: sale.id, claimId, buyerId: 'ann', unit: 1 }]);
  });

  test('standby is left at once, and the others move up', async () => {
    const sale = await api.open({ units: 1, standbyFactor: 3 });
    for (const buyerId of ['ann', 'bob', 'cem']) await buy(sale, buyerId);
    expect(await api.post(`/cancel/${sale.id}`, 'bob')).toMatchObject({ status: 202, body: { status: 'none' } });
    expect((await api.get(`/order-status/${sale.id}`, 'bob')).body).toEqual({ status: 'none' });
    expect((await api.get(`/order-status/${sale.id}`, 'cem')).body).toMatchObject({ position: 1 });
  });

  test('a cancelled order: 202', async () => {
    const sale = await api.open();
    await end(sale, 'ann', await buy(sale, 'ann'), 'cancelled');
    expect(await api.post(`/cancel/${sale.id}`, 'ann')).toMatchObject({ status: 202, body: { status: 'cancelled' } });
    expect(await jobsOf('cancel-order', sale)).toEqual([]);
  });

  test.each(['rejected', 'refunded'] as const)('an order that is %s: 409', async status => {
    const sale = await api.open();
    await end(sale, 'ann', await buy(sale, 'ann'), status);
    expect(await api.post(`/cancel/${sale.id}`, 'ann')).toMatchObject({
      status: 409,
      body: { code: 'not_cancellable' },
    });
  });

  test('a paid order, or no order: 409', async () => {
    const sale = await api.open();
    await payFor(sale, 'ann', await buy(sale, 'ann'));
    for (const buyerId of ['ann', 'bob']) {
      expect(await api.post(`/cancel/${sale.id}`, buyerId)).toMatchObject({
        status: 409,
        body: { code: 'not_cancellable' },
      });
    }
  });
});
