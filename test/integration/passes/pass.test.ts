import { describe, expect, test } from '@jest/globals';
import { PASS_LEAD_MS, signPass } from '#core/identity/pass.js';
import { receiptKey } from '#core/identity/receipt.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { readRunId, setSale } from '#core/redis/sale/sale.js';
import { type Answer, bearer, SECRET, useApi } from '../../support/http/api.js';
import { readSnapshot } from '../../support/redis/snapshot.js';

// A sale that needs a pass, at the API as it runs. No pass costs any work here.

const MINUTE_MS = 60_000;
const OTHER_SECRET = 'the secret before this one, also 32 long';

const api = useApi({ AUTH_SECRET_OTHER: OTHER_SECRET });

const opened = () => api.open({ needsPass: true });

function click(saleId: string, buyerId: string, pass?: string): Promise<Answer> {
  const headers = { ...bearer(buyerId), ...(pass === undefined ? {} : { 'dropline-pass': pass }) };
  return api.send(`/buy/${saleId}`, { method: 'POST', headers });
}

async function passOf(saleId: string, buyerId: string): Promise<string> {
  return String((await api.post(`/pass/${saleId}`, buyerId)).body.pass);
}

describe('POST /pass/:saleId', () => {
  test('gives a pass, which no cache may keep', async () => {
    const sale = await opened();
    const { status, headers, body } = await api.post(`/pass/${sale.id}`, 'ann');
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      pass: expect.stringMatching(/^[\w.-]+$/),
      validFrom: expect.stringMatching(/Z$/),
      validUntil: expect.stringMatching(/Z$/),
    });
    expect(Date.parse(String(body.validUntil)) - Date.parse(String(body.validFrom))).toBe(10 * MINUTE_MS);
  });

  test('gives another one at any time, as passes expire', async () => {
    const sale = await opened();
    const passes = [await passOf(sale.id, 'ann'), await passOf(sale.id, 'ann')];
    expect(new Set(passes).size).toBe(2);
    expect((await click(sale.id, 'ann', passes[0])).status).toBe(202);
    expect((await click(sale.id, 'ann', passes[1])).status).toBe(200);
  });

  test.each([
    ['a rush opens', {}],
    ['a line may be joined', { opening: 'draw', opensAtMs: Date.now() + 60 * MINUTE_MS }],
  ] as const)('gives one from 60 s before %s', async (_, wanted) => {
    const at = (ms: number) => ({
      needsPass: true,
      ...('opening' in wanted ? { ...wanted, joinsAtMs: Date.now() + ms } : { opensAtMs: Date.now() + ms }),
    });
    const soon = await api.open(at(PASS_LEAD_MS - 1_000));
    const { status, body } = await api.post(`/pass/${soon.id}`, 'ann');
    expect(status).toBe(200);
    expect(body.validFrom).toBe(new Date(soon.joinsAtMs ?? soon.opensAtMs).toISOString());
    const early = await api.open(at(PASS_LEAD_MS + 30_000));
    const refused = await api.post(`/pass/${early.id}`, 'ann');
    expect(refused).toMatchObject({ status: 403, body: { code: 'pass_too_early' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(25);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(30);
  });

  test('gives none when the sale is over', async () => {
    const sales = [
      await api.open({ needsPass: true, closesAtMs: Date.now() - 1 }),
      await api.open({ needsPass: true, state: 'closed' }),
    ];
    for (const { id } of sales)
      expect(await api.post(`/pass/${id}`, 'ann')).toMatchObject({ status: 410, body: { code: 'sale_closed' } });
  });

  test.each([
    ['without a token: 401', 'POST', {}, 401, 'unauthenticated'],
    ['by GET: 405', 'GET', bearer('ann'), 405, 'method_not_allowed'],
  ] as const)('%s', async (_, method, headers, status, code) => {
    const sale = await opened();
    expect(await api.send(`/pass/${sale.id}`, { method, headers })).toMatchObject({ status, body: { code } });
  });

  test.each([
    ['/pass/nowhere', 404, 'unknown_sale'],
    ['/pass/a%20b', 400, 'invalid_request'],
    ['/pass/a/', 404, 'not_found'],
  ])('%s: %p', async (path, status, code) => {
    await markRegistryWhole(api.redis, await readRunId(api.redis));
    expect(await api.post(path, 'ann')).toMatchObject({ status, body: { code } });
  });

  test('a body of more than a kilobyte: 413', async () => {
    const sale = await opened();
    const init = { method: 'POST', headers: bearer('ann'), body: 'x'.repeat(1_025) };
    expect(await api.send(`/pass/${sale.id}`, init)).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });
});

describe('POST /buy/:saleId of a sale that needs a pass', () => {
  test('with the pass of the buyer: a claim', async () => {
    const sale = await opened();
    expect(await click(sale.id, 'ann', await passOf(sale.id, 'ann'))).toMatchObject({ status: 202, body: { unit: 1 } });
  });

  test('with a pass by the secret before: a claim', async () => {
    const sale = await opened();
    const { text } = signPass(receiptKey(OTHER_SECRET), sale, { buyerId: 'ann', nowMs: Date.now() });
    expect((await click(sale.id, 'ann', text)).status).toBe(202);
  });

  test.each([
    ['none', 'pass_required', () => undefined],
    ['a malformed one', 'bad_pass', () => 'a pass'],
    ['an empty one', 'bad_pass', () => ''],
    ['two at once', 'bad_pass', (pass: string) => `${pass}, ${pass}`],
    ['an altered one', 'bad_pass', (pass: string) => pass.replace(/^\d/, '9')],
    ["another buyer's", 'bad_pass', (_: string, saleId: string) => passOf(saleId, 'bob')],
    ['one of another sale', 'bad_pass', async () => passOf((await opened()).id, 'ann')],
    ['an expired one', 'pass_expired', (_: string, id: string) => signedAt(id, Date.now() - 11 * MINUTE_MS)],
    ['one that is not valid yet', 'pass_too_early', (_: string, id: string) => signedAt(id, Date.now() + MINUTE_MS)],
  ])('with %s: 403 %s, and Redis is not asked', async (_, code, wrong) => {
    const sale = await opened();
    const pass = await wrong(await passOf(sale.id, 'ann'), sale.id);
    const before = await callsOfRedis();
    const answers: Answer[] = [];
    for (let i = 0; i < 20; i += 1) answers.push(await click(sale.id, 'ann', pass));
    for (const answer of answers) expect(answer).toMatchObject({ status: 403, body: { code } });
    expect(answers[0]?.headers.get('cache-control')).toBe('no-store');
    // The API also asks for other reasons, about once a second.
    expect((await callsOfRedis()) - before).toBeLessThan(answers.length / 2);
    expect((await readSnapshot(api.redis, sale.id))?.stock).toHaveLength(3);
  });

  test('nobody gets in without a pass while the API knows nothing of the sale', async () => {
    const sale = await opened();
    api.ctx.sales.forget();
    const clicks = Array.from({ length: 20 }, (_, i) => click(sale.id, `buyer-${i}`));
    for (const answer of await Promise.all(clicks))
      expect(answer).toMatchObject({ status: 403, body: { code: 'pass_required' } });
    expect((await readSnapshot(api.redis, sale.id))?.stock).toHaveLength(3);
  });

  test('nobody gets in while Redis cannot be trusted about the sale', async () => {
    const sale = await opened();
    const pass = await passOf(sale.id, 'ann');
    await setSale(api.redis, sale.id, { runId: '' });
    api.ctx.sales.forget();
    for (const shown of [pass, undefined])
      expect(await click(sale.id, 'ann', shown)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });

  test('the other calls need none', async () => {
    const sale = await opened();
    await click(sale.id, 'ann', await passOf(sale.id, 'ann'));
    expect((await api.get(`/order-status/${sale.id}`, 'ann')).body).toMatchObject({ status: 'queued' });
    expect((await api.post(`/pay/${sale.id}`, 'ann')).body).toMatchObject({ code: 'not_payable' });
    expect((await api.post(`/cancel/${sale.id}`, 'ann')).body).not.toMatchObject({ code: 'pass_required' });
    expect((await api.get(`/sales/${sale.id}`)).body).toMatchObject({ needsPass: true });
  });

  test('a sale without passes ignores the header', async () => {
    const sale = await api.open();
    expect((await click(sale.id, 'ann', 'anything')).status).toBe(202);
  });
});

function signedAt(saleId: string, nowMs: number): string {
  const sale = { id: saleId, opensAtMs: 0, closesAtMs: Number.MAX_SAFE_INTEGER };
  return signPass(receiptKey(SECRET), sale, { buyerId: 'ann', nowMs }).text;
}

/** Returns how many times the scripts that claim were called in Redis, and sales were read. */
async function callsOfRedis(): Promise<number> {
  const stats = await api.redis.info('commandstats');
  const calls = [...stats.matchAll(/^cmdstat_(?:evalsha|fcall|hgetall|hmget):calls=(\d+)/gm)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}
