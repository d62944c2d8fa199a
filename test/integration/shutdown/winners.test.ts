import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { bearer, SECRET } from '../../support/http/api.js';
import { type App, startApp } from '../../support/processes/app.js';
import { buyers, openTestSale } from '../../support/sales.js';
import { type FaultProxy, startFaultProxy } from '../../support/stores/fault-proxy.js';
import { useStores } from '../../support/stores/stores.js';

// An API gets a real SIGTERM while clicks wait for Redis. Their winners are known once the API is ending.

const CROWD = 40;

const t = useStores();
let link: FaultProxy;
let api: App;

beforeAll(async () => {
  await build();
  link = await startFaultProxy(t.redisUrl);
});
afterEach(() => api?.process.kill());
afterAll(() => link?.close());

/** Sends a click on a connection of its own, which resolves with the whole answer once the connection has ended. */
function click(port: number, saleId: string, buyerId: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => {
      const { authorization } = bearer(buyerId);
      socket.write(
        `POST /buy/${saleId} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: 0\r\n\r\n`,
      );
    });
    socket.on('data', chunk => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

test('an API answers every click in flight, queues the last winners, and ends with 0', async () => {
  const sale = await openTestSale(t, { units: CROWD });
  api = await startApp('api', {
    REDIS_URL: link.through(t.redisUrl),
    AUTH_SECRET: SECRET,
    HOST: '127.0.0.1',
    PORT: '0',
  });
  await api.untilSaid(/"msg":"listening"/);
  const port = Number(/"port":(\d+)/.exec(api.said())?.[1]);
  await eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200));
  link.set({ kind: 'stall' });
  const answers = buyers(CROWD).map(buyerId => click(port, sale.id, buyerId));
  // The API answers on a later connection only after it has read the earlier ones.
  await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { connection: 'close' } });
  process.kill(api.process.pid, 'SIGTERM');
  await api.untilSaid(/"msg":"ending"/);
  link.set({ kind: 'none' });

  const statuses = (await Promise.all(answers)).map(answer => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]));
  expect(await api.process.ended).toEqual({ code: 0, signal: null });
  // On a busy machine the link has stood still for longer than a click waits for Redis.
  expect(statuses.filter(status => status !== 202 && status !== 503)).toEqual([]);
  const winners = await t.redis.hkeys(keysOf(sale.id).claims);
  const jobs = await t.queues.of('')['place-waiting'].getJobs(['waiting', 'active', 'delayed']);
  expect(jobs.map(({ data }) => data)).toEqual(winners.length > 0 ? [{ saleId: sale.id }] : []);
  expect((await t.redis.zrange(keysOf(sale.id).outbox, '0', '-1')).sort()).toEqual(winners.sort());
  expect(winners.length).toBeGreaterThanOrEqual(statuses.filter(status => status === 202).length);
});
