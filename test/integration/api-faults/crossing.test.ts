import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import type { Sale } from '#core/rules/sale.js';
import { bearer, useApi } from '../../support/http/api.js';

// Changes between two steps of one request, and the exact limits of a request.

const api = useApi();

afterEach(() => {
  jest.restoreAllMocks();
  api.ctx.draining = false;
});

/** Lets something happen once, just after the API has read the status of a buyer. */
function afterNextRead(meanwhile: () => Promise<unknown>): void {
  const read = api.ctx.statuses.read.bind(api.ctx.statuses);
  jest.spyOn(api.ctx.statuses, 'read').mockImplementationOnce(async (saleId, buyerId) => {
    const known = await read(saleId, buyerId);
    await meanwhile();
    return known;
  });
}

const cancelJobs = async (sale: Sale) => {
  const jobs = await api.ctx.queues.of('')['cancel-order'].getWaiting();
  return jobs.filter(({ data }) => data.saleId === sale.id).map(({ data }) => data);
};

test('a buyer who gets a unit while leaving standby has its claim cancelled', async () => {
  const sale = await api.open({ units: 1, standbyFactor: 1 });
  const ann = await api.win(sale, 'ann');
  await api.post(`/buy/${sale.id}`, 'bob');
  afterNextRead(() =>
    release(api.redis, sale.id, [{ ...ann, status: 'cancelled', reason: 'unpaid', freesUnit: true }]),
  );
  expect(await api.post(`/cancel/${sale.id}`, 'bob')).toMatchObject({ status: 202, body: { status: 'queued' } });
  expect(await cancelJobs(sale)).toEqual([expect.objectContaining({ buyerId: 'bob', unit: ann.unit })]);
});

test('a buyer who leaves standby twice at once is off it, and has nothing to cancel', async () => {
  const sale = await api.open({ units: 1, standbyFactor: 1 });
  await api.win(sale, 'ann');
  await api.post(`/buy/${sale.id}`, 'bob');
  afterNextRead(async () => expect((await api.post(`/cancel/${sale.id}`, 'bob')).body).toEqual({ status: 'none' }));
  expect(await api.post(`/cancel/${sale.id}`, 'bob')).toMatchObject({ status: 409, body: { code: 'not_cancellable' } });
  expect(await cancelJobs(sale)).toEqual([]);
});

describe('a process is not ready', () => {
  const reasons = async () => {
    const { status, body, headers } = await api.get('/readyz');
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    return body.detail;
  };

  test('while it ends', async () => {
    api.ctx.draining = true;
    expect(await reasons()).toBe('the process is ending');
  });

  test('while its queue is not connected', async () => {
    jest.replaceProperty(api.ctx.queueRedis.of(''), 'status', 'reconnecting');
    expect(await reasons()).toBe('the queue is not connected');
    api.ctx.draining = true;
    expect(await reasons()).toBe('the process is ending; the queue is not connected');
  });
});

describe('a body of exactly a kilobyte is ignored, and one byte more is refused', () => {
  const statusOf = async (bytes: number, isChunked: boolean) => {
    const sale = await api.open();
    const text = 'x'.repeat(bytes);
    const body = isChunked ? new Blob([text]).stream() : text;
    const init = { method: 'POST', headers: bearer('ann'), body, duplex: 'half' } as RequestInit;
    return (await api.send(`/cancel/${sale.id}`, init)).status;
  };

  test.each([
    ['with its length', false],
    ['in chunks', true],
  ])('%s', async (_how, isChunked) => {
    expect([await statusOf(1_024, isChunked), await statusOf(1_025, isChunked)]).toEqual([409, 413]);
  });
});
