import { describe, expect, test } from '@jest/globals';
import { prefixOf } from '#core/redis/keys.js';
import { readRunId, setSale } from '#core/redis/sale/sale.js';
import { eventually } from '../../support/eventually.js';
import { type Answer, useApi } from '../../support/http/api.js';

const api = useApi();

const CALLS = [
  ['POST', '/buy/'],
  ['GET', '/order-status/'],
  ['POST', '/pay/'],
  ['POST', '/cancel/'],
  ['GET', '/sales/'],
] as const;

async function callAll(saleId: string): Promise<Answer[]> {
  return Promise.all(
    CALLS.map(([method, path]) => (method === 'GET' ? api.get(path + saleId, 'ann') : api.post(path + saleId, 'ann'))),
  );
}

function expectUnavailable(answers: Answer[]): void {
  for (const { status, body, headers } of answers) {
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'unavailable' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.stringify(body)).not.toMatch(/redis|ECONN|\bat /i);
  }
}

describe('Redis', () => {
  test('killed: 503 while it is away, alive but not ready; restarted and verified: the same claim as before', async () => {
    const sale = await api.open();
    const first = await api.post(`/buy/${sale.id}`, 'ann');
    await api.redisServer.kill();
    expectUnavailable(await callAll(sale.id));
    expect((await api.get('/healthz')).status).toBe(200);
    expect(await api.get('/readyz')).toMatchObject({ status: 503, body: { code: 'unavailable' } });

    await api.startRedisAgain();
    // Another run of Redis may have lost data until it is compared with Postgres.
    expectUnavailable(await callAll(sale.id));
    await setSale(api.redis, sale.id, { runId: await readRunId(api.redis) });
    const again = await api.post(`/buy/${sale.id}`, 'ann');
    expect(again).toMatchObject({ status: 200, body: { claimId: first.body.claimId } });
    const { body } = await api.get(`/order-status/${sale.id}`, 'ann');
    expect(body).toMatchObject({ status: 'queued', claimId: first.body.claimId });
    await eventually(async () => expect((await api.post(`/cancel/${sale.id}`, 'ann')).status).toBe(202));
  });

  test('stopped with open connections: 503 while it stands still; continued: healthy by itself', async () => {
    const sale = await api.open();
    process.kill(api.redisServer.pid, 'SIGSTOP');
    try {
      expectUnavailable(await callAll(sale.id));
    } finally {
      process.kill(api.redisServer.pid, 'SIGCONT');
    }
    await eventually(async () => {
      const answers = await callAll(sale.id);
      expect(answers[0]?.status).toBe(200);
      expect(answers[4]?.status).toBe(200);
    });
  });

  test('emptied: 503, never 404 and never a false status', async () => {
    const sale = await api.open();
    await api.post(`/buy/${sale.id}`, 'ann');
    await api.get(`/sales/${sale.id}`);
    await api.redis.flushall();
    const [bought, status, paid, cancelled] = await callAll(sale.id);
    expectUnavailable([bought, status, paid, cancelled] as Answer[]);
    await eventually(async () => expectUnavailable(await callAll(sale.id)));
  });

  test('without its scripts: they are loaded again', async () => {
    const sale = await api.open();
    await api.redis.script('FLUSH');
    expect((await api.post(`/buy/${sale.id}`, 'ann')).status).toBe(202);
  });

  test('with a key of another type: 500 without details', async () => {
    const sale = await api.open();
    await api.redis.set(`${prefixOf(sale.id)}:claims`, 'broken');
    const answer = await api.post(`/buy/${sale.id}`, 'ann');
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(answer.body)).not.toMatch(/WRONGTYPE|lua|redis/i);
  });

  test('out of memory: 503, and nothing is half done', async () => {
    const sale = await api.open();
    await api.redis.config('SET', 'maxmemory', '1');
    const answer = await api.post(`/buy/${sale.id}`, 'ann');
    await api.redis.config('SET', 'maxmemory', '0');
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(await api.redis.llen(`${prefixOf(sale.id)}:stock`)).toBe(3);
  });
});
