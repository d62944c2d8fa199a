import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { issueToken } from '#core/identity/token.js';
import { connectRedis, type Redis } from '#core/redis/connection.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import { freePort } from '#stack/processes/free-port.js';
import { type GuardedProcess, startGuarded } from '#stack/processes/guarded-process.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { bearer, SECRET } from '../../support/http/api.js';
import { aSale } from '../../support/sales.js';

const ROOT = join(import.meta.dirname, '../../..');

let dir: string;
let redis: RedisServer;
let started: GuardedProcess[] = [];

beforeAll(async () => {
  await build();
  dir = await mkdtemp(join(tmpdir(), 'dropline-api-process-'));
  redis = await startRedis({ dir });
});
afterEach(async () => {
  await Promise.all(started.map(api => api.kill()));
  started = [];
});
afterAll(async () => {
  await redis.stop();
  await rm(dir, { recursive: true, force: true });
});

async function withRedis(work: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = connectRedis(redis.url, 'worker', () => undefined);
  await work(client);
  client.disconnect();
}

/** Starts the API as a process. */
async function start(settings: Record<string, string>) {
  const environment = { PATH: String(process.env.PATH), HOST: '127.0.0.1', PORT: '0', ...settings };
  const api = await startGuarded({
    command: process.execPath,
    args: ['dist/apps/api/main.js'],
    cwd: ROOT,
    environment,
    output: 'pipe',
    stopSignal: 'SIGTERM',
    graceMs: 15_000,
  });
  started.push(api);
  const printed = { out: '', err: '' };
  api.stdout?.on('data', chunk => {
    printed.out += chunk;
  });
  api.stderr?.on('data', chunk => {
    printed.err += chunk;
  });
  const port = () =>
    eventually(() => Number(/"port":(\d+).*"msg":"listening"/.exec(printed.out)?.[1] ?? fail(printed)));
  return { api, printed, port };
}

function fail(printed: object): never {
  throw new Error(`not listening: ${JSON.stringify(printed)}`);
}

const settings = () => ({ REDIS_URL: redis.url, AUTH_SECRET: SECRET });

describe('the API process', () => {
  test('without its settings: one line that names each and its form, exit 1', async () => {
    const { api, printed } = await start({ AUTH_SECRET: 'short', GUEST_TOKENS: 'yes' });
    expect(await api.ended).toEqual({ code: 1, signal: null });
    await eventually(() => expect(printed.err).toMatch(/^api: [^\n]+\n$/));
    expect(printed.err).toContain('REDIS_URL is not set');
    expect(printed.err).toContain('AUTH_SECRET must be at least 32 characters');
    expect(printed.err).toContain('GUEST_TOKENS must be 0 or 1');
    expect(printed.out).toBe('');
  });

  test("with half of the issuer's settings: one line that names the missing ones, exit 1", async () => {
    const { api, printed } = await start({ ...settings(), AUTH_JWKS_URL: 'https://shop.example/jwks' });
    expect(await api.ended).toEqual({ code: 1, signal: null });
    await eventually(() =>
      expect(printed.err).toBe(
        'api: set AUTH_ISSUER, AUTH_AUDIENCE, too: AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE go together (see .env.example)\n',
      ),
    );
  });

  test('on a taken port: one line, exit 1', async () => {
    const other = createServer();
    const port = await new Promise<number>(resolve => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    const { api, printed } = await start({ ...settings(), PORT: String(port) });
    expect((await api.ended).code).toBe(1);
    other.close();
    await eventually(() => expect(printed.err).toMatch(/^api: listen EADDRINUSE[^\n]+\n$/));
  });

  test('on a Redis that evicts keys: one line with the right policy, exit 1', async () => {
    const setPolicy = (policy: string) => withRedis(client => client.config('SET', 'maxmemory-policy', policy));
    await setPolicy('allkeys-lru');
    const { api, printed } = await start(settings());
    expect((await api.ended).code).toBe(1);
    await setPolicy('noeviction');
    // BullMQ may warn of the same policy before.
    await eventually(() => expect(printed.err).toMatch(/^api: REDIS_URL [^\n]+noeviction[^\n]+\n$/m));
  });

  test('serves its metrics on their own port only', async () => {
    const metricsPort = await freePort();
    const { port } = await start({ ...settings(), METRICS_PORT: String(metricsPort) });
    const url = `http://127.0.0.1:${await port()}`;
    await fetch(`${url}/nothing`);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(metrics).toContain('dropline_problems_total{code="not_found"} 2');
    expect(metrics).toContain('process_cpu_seconds_total');
    expect(metrics).toContain('dropline_shed_total{kind="claim"} 0');
    expect((await fetch(`http://127.0.0.1:${metricsPort}/`)).status).toBe(404);
  });

  test('writes at most a line a second about refused tokens, with a reason and without the token', async () => {
    const { port, printed } = await start(settings());
    const url = `http://127.0.0.1:${await port()}/order-status/nowhere`;
    const token = issueToken('another secret of 32 characters..', 'ann');
    const beganAtMs = performance.now();
    const ask = () => fetch(url, { headers: { authorization: `Bearer ${token}` } });
    for (const { status } of await Promise.all(Array.from({ length: 100 }, ask))) expect(status).toBe(401);
    const lines = () => printed.out.split('\n').filter(line => line.includes('"msg":"token refused"'));
    await eventually(() => expect(lines()[0]).toContain('"why":"signature"'));
    expect(lines().length).toBeLessThanOrEqual(1 + (performance.now() - beganAtMs) / 1_000);
    expect(printed.out).not.toContain(token.split('.')[2]);
  });

  test('on SIGTERM: finishes the requests in flight, accepts no new ones, exit 0', async () => {
    const { api, port, printed } = await start(settings());
    const number = await port();
    let answer = '';
    const busy = connect(number, '127.0.0.1', () => {
      busy.write(`POST /buy/nowhere HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer('ann').authorization}\r\n`);
      busy.write('Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    });
    busy.on('data', chunk => {
      answer += chunk;
    });
    await eventually(() => expect(busy.bytesWritten).toBeGreaterThan(0));
    await fetch(`http://127.0.0.1:${number}/healthz`);
    process.kill(api.pid, 'SIGTERM');
    await eventually(() => expect(fetch(`http://127.0.0.1:${number}/healthz`)).rejects.toThrow());
    busy.write('0\r\n\r\n');
    expect(await api.ended).toEqual({ code: 0, signal: null });
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(printed.err).toBe('');
  });

  test('on SIGTERM: answers every waiting request, ends every stream, exit 0', async () => {
    const sale = aSale({ units: 3 });
    await withRedis(async client => {
      defineScripts(client);
      await openSale(client, sale);
    });
    const metricsPort = await freePort();
    const { api, port } = await start({ ...settings(), METRICS_PORT: String(metricsPort) });
    const url = `http://127.0.0.1:${await port()}`;
    for (const buyerId of ['ann', 'bob']) {
      await fetch(`${url}/buy/${sale.id}`, { method: 'POST', headers: bearer(buyerId) });
    }
    const wait = fetch(`${url}/order-status/${sale.id}`, { headers: { ...bearer('ann'), prefer: 'wait=30' } });
    const stream = await fetch(`${url}/order-status/${sale.id}`, {
      headers: { ...bearer('bob'), accept: 'text/event-stream' },
    });
    await eventually(async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      expect(metrics).toContain('dropline_waiters 2\n');
    });
    process.kill(api.pid, 'SIGTERM');
    expect(await (await wait).json()).toMatchObject({ status: 'queued' });
    expect(await stream.text()).toMatch(/"status":"queued"/);
    expect(await api.ended).toEqual({ code: 0, signal: null });
  });

  test('on SIGTERM while Redis is down: exit 0', async () => {
    const { api, port } = await start({ ...settings(), REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    expect((await fetch(`http://127.0.0.1:${await port()}/readyz`)).status).toBe(503);
    expect(await api.stop()).toEqual({ code: 0, signal: null });
  });
});
