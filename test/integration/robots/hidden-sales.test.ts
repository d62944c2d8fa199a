import { beforeEach, describe, expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { readRunId, setSale } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { bearer, useApi } from '../../support/http/api.js';

// Until a sale is announced, every public call answers as if it did not exist.

const api = useApi();

const HOUR_MS = 3_600_000;
const UNKNOWN = 'nowhere';

beforeEach(async () => {
  expect(await markRegistryWhole(api.redis, await readRunId(api.redis))).toBe(true);
});

/** Every public call about a sale. */
const CALLS: [call: string, path: (saleId: string) => string, init: RequestInit][] = [
  ['the sale', id => `/sales/${id}`, {}],
  ['the head of the sale', id => `/sales/${id}`, { method: 'HEAD' }],
  ['a click', id => `/buy/${id}`, { method: 'POST', headers: bearer('ann') }],
  ['a click that waits', id => `/buy/${id}`, { method: 'POST', headers: { ...bearer('ann'), prefer: 'wait=1' } }],
  ['a click without a token', id => `/buy/${id}`, { method: 'POST' }],
  ['a poll', id => `/order-status/${id}`, { headers: bearer('ann') }],
  ['a poll with a receipt', id => `/order-status/${id}?receipt=abc`, { headers: bearer('ann') }],
  ['a poll that waits', id => `/order-status/${id}`, { headers: { ...bearer('ann'), prefer: 'wait=1' } }],
  ['a stream', id => `/order-status/${id}`, { headers: { ...bearer('ann'), accept: 'text/event-stream' } }],
  ['a payment', id => `/pay/${id}`, { method: 'POST', headers: bearer('ann') }],
  ['a cancellation', id => `/cancel/${id}`, { method: 'POST', headers: bearer('ann') }],
  ['the facts of its draw', id => `/draws/${id}`, {}],
  ['a part of the list', id => `/draws/${id}/entries/0`, {}],
  ['a proof', id => `/draws/${id}/proof`, { headers: bearer('ann') }],
  ['its page', id => `/s/${id}`, {}],
];

/** Returns all of an answer that a client can see, and that does not differ between two requests for the same. */
async function seenOf(path: string, init: RequestInit) {
  const response = await fetch(api.url + path, init);
  const headers = Object.fromEntries(response.headers);
  for (const one of ['date', 'x-request-id', 'last-modified']) delete headers[one];
  return { status: response.status, headers, text: await response.text() };
}

const hide = (wanted: Partial<Sale> = {}) =>
  api.open({ announceAtMs: Date.now() + HOUR_MS, opensAtMs: Date.now() + 2 * HOUR_MS, ...wanted });

const line = { opening: 'draw', joinsAtMs: Date.now() + 1.5 * HOUR_MS } as const;

describe.each<[string, Partial<Sale>]>([
  ['a hidden sale', {}],
  ['a hidden draw', line],
  ['a hidden sale that is paused', { state: 'paused' }],
  ['a hidden sale that is closed', { state: 'closed' }],
])('%s answers as a sale that does not exist', (_, wanted) => {
  test.each(CALLS)('to %s', async (_call, path, init) => {
    const sale = await hide(wanted);
    const expected = await seenOf(path(UNKNOWN), init);
    expect(await seenOf(path(sale.id), init)).toEqual(expected);
    // Again, from the memory of the API.
    expect(await seenOf(path(sale.id), init)).toEqual(expected);
  });
});

test('a hidden sale that is being rebuilt answers as a sale that does not exist', async () => {
  const sale = await hide();
  await setSale(api.redis, sale.id, { runId: 'rebuild-1' });
  for (const [, path, init] of CALLS) {
    expect(await seenOf(path(sale.id), init)).toEqual(await seenOf(path(UNKNOWN), init));
  }
});

test('no poll is answered from the memory of the API while its sale is hidden', async () => {
  const sale = await hide();
  for (let i = 0; i < 5; i += 1) {
    expect((await api.get(`/sales/${sale.id}`)).status).toBe(404);
    const poll = await api.get(`/order-status/${sale.id}`, 'ann');
    expect(poll).toMatchObject({ status: 404, body: { code: 'unknown_sale' } });
  }
});

test('a crowd at a hidden sale that is closed gets no other answer from memory', async () => {
  const sale = await hide({ state: 'closed' });
  // The API copies a closed sale after the first click, and refuses from this copy then.
  const announced = await api.open({ state: 'closed' });
  await eventually(async () => {
    await api.post(`/buy/${sale.id}`, 'ann');
    await api.post(`/buy/${announced.id}`, 'ann');
    expect(api.ctx.mirrors.refusalOf(announced.id, 'bea')).toBe('closed');
  });
  for (let i = 0; i < 20; i += 1) {
    expect(api.ctx.mirrors.refusalOf(sale.id, `buyer-${i}`)).toBeUndefined();
    expect(await api.post(`/buy/${sale.id}`, `buyer-${i}`)).toMatchObject({
      status: 404,
      body: { code: 'unknown_sale' },
    });
  }
});

describe('once it is announced', () => {
  test('a sale answers like any other, without another change', async () => {
    const sale = await hide({ announceAtMs: Date.now() + 1_200 });
    const asked = () => Promise.all([api.get(`/sales/${sale.id}`), api.post(`/buy/${sale.id}`, 'ann')]);
    expect((await asked()).map(({ status }) => status)).toEqual([404, 404]);
    await eventually(async () => expect((await asked()).map(({ status }) => status)).toEqual([200, 403]));
    expect((await api.get(`/sales/${sale.id}`)).body).toMatchObject({ id: sale.id, state: 'upcoming' });
    expect(await api.get(`/order-status/${sale.id}`, 'ann')).toMatchObject({ status: 200, body: { status: 'none' } });
  });

  test('no answer comes before the time by Redis’s clock', async () => {
    const announceAtMs = Date.now() + 1_500;
    const sale = await hide({ announceAtMs });
    for (;;) {
      const { status } = await api.get(`/sales/${sale.id}`);
      const [seconds, micros] = await api.redis.time();
      if (status === 200) {
        expect(Number(seconds) * 1_000 + Number(micros) / 1_000).toBeGreaterThanOrEqual(announceAtMs);
        return;
      }
      expect(status).toBe(404);
    }
  });
});

test('a sale without the time is never hidden', async () => {
  const sale = await api.open();
  expect(await api.redis.hget(keysOf(sale.id).sale, 'announceAtMs')).toBeNull();
  expect((await api.get(`/sales/${sale.id}`)).status).toBe(200);
});
