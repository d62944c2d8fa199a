import { describe, expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import { eventually } from '../../support/eventually.js';
import { useApi } from '../../support/http/api.js';

/** The clocks of the API and of Redis are read in ms, and cut off. */
const ROUNDING_MS = 10;

const api = useApi();

interface Described {
  responses: object;
  security?: object[];
  parameters?: { name: string }[];
}

describe('GET /sales/:saleId', () => {
  test('has what the page shows, needs no token and may be cached for a second', async () => {
    const sale = await api.open({ units: 3, title: 'Kettle', priceMinor: 1_999 });
    const askedAtMs = Date.now();
    const { status, body, headers } = await api.get(`/sales/${sale.id}`);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=1');
    expect(body).toEqual({
      id: sale.id,
      title: 'Kettle',
      priceMinor: 1_999,
      currency: 'EUR',
      currencyDigits: 2,
      opensAt: new Date(sale.opensAtMs).toISOString(),
      closesAt: new Date(sale.closesAtMs).toISOString(),
      needsPass: false,
      opening: 'rush',
      state: 'open',
      units: 3,
      remaining: 3,
      serverTime: expect.stringMatching(/Z$/),
    });
    const serverTimeMs = Date.parse(String(body.serverTime));
    expect(serverTimeMs).toBeGreaterThanOrEqual(askedAtMs - ROUNDING_MS);
    expect(serverTimeMs).toBeLessThanOrEqual(Date.now() + ROUNDING_MS);
  });

  test('has only a rough number of free units, if the sale says so, and says that it is rough', async () => {
    const sale = await api.open({ units: 250, coarseStock: true });
    const read = async () => (await api.get(`/sales/${sale.id}`)).body;
    expect(await read()).toMatchObject({ remaining: 250, remainingIsRough: true, units: 250 });
    await api.redis.ltrim(keysOf(sale.id).stock, 0, 99);
    await eventually(async () => expect(await read()).toMatchObject({ state: 'open', remaining: 100 }));
    await api.redis.ltrim(keysOf(sale.id).stock, 0, 1);
    await eventually(async () => expect(await read()).toMatchObject({ state: 'open', remaining: 10 }));
    await api.redis.del(keysOf(sale.id).stock);
    await eventually(async () => expect(await read()).toMatchObject({ state: 'sold_out', remaining: 0 }));
  });

  test('tells nothing of the seed by which units are dealt, nor of the other rules about robots', async () => {
    const sale = await api.open({ unitSeed: 'ab'.repeat(32), coarseStock: true });
    const { body } = await api.get(`/sales/${sale.id}`);
    expect(JSON.stringify(body)).not.toMatch(/abab|seed|coarse/i);
  });

  test('is at most a second old, but has the exact time', async () => {
    const sale = await api.open({ units: 1 });
    const first = (await api.get(`/sales/${sale.id}`)).body;
    await api.post(`/buy/${sale.id}`, 'ann');
    await eventually(async () =>
      expect((await api.get(`/sales/${sale.id}`)).body).toMatchObject({ state: 'sold_out', remaining: 0 }),
    );
    const later = (await api.get(`/sales/${sale.id}`)).body;
    expect(Date.parse(String(later.serverTime))).toBeGreaterThan(Date.parse(String(first.serverTime)));
  });

  test.each([
    ['upcoming', { opensAtMs: Date.now() + 60_000 }],
    ['paused', { state: 'paused' }],
    ['closed', { state: 'closed' }],
    ['closed', { closesAtMs: Date.now() - 1 }],
  ] as const)('has the state %s for %p', async (state, wanted) => {
    const sale = await api.open(wanted);
    expect((await api.get(`/sales/${sale.id}`)).body.state).toBe(state);
  });

  test('of a sale that is not verified: 503', async () => {
    const sale = await api.open();
    await setSale(api.redis, sale.id, { runId: '' });
    expect(await api.get(`/sales/${sale.id}`)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });
});

describe('the other calls', () => {
  test('GET /healthz and /readyz: 200', async () => {
    expect(await api.get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await api.get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  test('GET /readyz on a Redis that evicts keys: 503 with the reason', async () => {
    await api.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const answer = await api.get('/readyz');
    await api.redis.config('SET', 'maxmemory-policy', 'noeviction');
    expect(answer).toMatchObject({ status: 503, body: { detail: expect.stringContaining('noeviction') } });
  });

  test('GET /openapi.json describes every call, its answers and its problems', async () => {
    const { status, body } = await api.get('/openapi.json');
    expect(status).toBe(200);
    const paths = body.paths as Record<string, Record<string, Described>>;
    expect(Object.entries(paths).map(([path, methods]) => `${Object.keys(methods)} ${path}`)).toEqual([
      'post /buy/{saleId}',
      'post /pass/{saleId}',
      'post /webhooks/payments/{provider}',
      'get /sales/{saleId}',
      'get /order-status/{saleId}',
      'post /pay/{saleId}',
      'post /cancel/{saleId}',
      'get /draws/{saleId}',
      'get /draws/{saleId}/entries/{chunk}',
      'get /draws/{saleId}/proof',
      'get /healthz',
      'get /readyz',
    ]);
    const buy = paths['/buy/{saleId}']?.post;
    expect(Object.keys(buy?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '202', '400', '401', '403', '404', '409', '410', '413', '429', '500', '503']),
    );
    expect(buy?.security).toEqual([{ buyer: [] }]);
    expect(paths['/sales/{saleId}']?.get?.security).toBeUndefined();
    const orderStatus = paths['/order-status/{saleId}']?.get;
    expect(orderStatus?.parameters?.map(({ name }) => name)).toEqual(['saleId', 'receipt', 'prefer', 'if-none-match']);
    expect(orderStatus?.responses).toHaveProperty('304');
    expect(buy?.parameters?.map(({ name }) => name)).toEqual(['saleId', 'dropline-pass', 'prefer']);
  });

  test.each(['/', '/s/drop-1'])(
    '%s is the page, which no cache keeps and which loads only its own files',
    async path => {
      const response = await fetch(api.url + path);
      const page = await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain('text/html');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('x-powered-by')).toBeNull();
      expect(response.headers.get('strict-transport-security')).toBe('max-age=31536000');
      const assets = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, asset]) => asset);
      expect(assets.length).toBeGreaterThan(0);
      for (const asset of assets) expect((await fetch(api.url + asset)).status).toBe(200);
    },
  );

  test.each(['/assets/%2e%2e/%2e%2e/package.json', '/assets/..%2fapi%2fmain.ts', '/assets/%00', '/assets/'])(
    '%s shows nothing',
    async path => {
      const response = await fetch(api.url + path);
      expect([400, 404]).toContain(response.status);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(await response.text()).not.toContain('at ');
    },
  );
});
