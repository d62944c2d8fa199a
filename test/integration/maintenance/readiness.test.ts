import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { ActorLock } from '#core/postgres/actor-lock.js';
import { REGISTRY_AT, registryKeys } from '#core/redis/keys.js';
import { freePort } from '#stack/processes/free-port.js';
import { type StackProcess, startProcess } from '#stack/processes/process.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { fillTo, unfill } from '../../support/redis/fill.js';
import { openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// The readiness of a worker that runs: while reconcile doesn't, and while Redis is too full for clicks.

const MINUTE_MS = 60_000;

const t = useStores();
let worker: StackProcess | undefined;
beforeAll(build);
afterEach(() => worker?.stop());

async function startWorker(): Promise<string> {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL } = t;
  worker = await startProcess({
    name: 'worker',
    environment: { REDIS_URL, DATABASE_URL, METRICS_PORT: port, LOG_LEVEL: 'silent' },
    ready: { url: `${url}/readyz` },
  });
  return url;
}

async function readiness(url: string) {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, body: await response.json() };
}

/**
 * Holds the lock of reconcile and does no work, so that other processes believe the work is done.
 *
 * @returns ends the hold
 */
async function holdReconcile(): Promise<() => Promise<void>> {
  const lock = new ActorLock(t.db);
  let end = () => {};
  const wedged = new Promise<void>(resolve => {
    end = resolve;
  });
  const held = () =>
    new Promise<void>((resolve, reject) => {
      const run = async () => {
        resolve();
        await wedged;
      };
      lock.hold('reconcile', run).then(ran => ran || reject(new Error('the worker holds the lock')), reject);
    });
  await eventually(held);
  return async () => end();
}

test('a worker is not ready while another process keeps reconcile from finishing', async () => {
  await openTestSale(t);
  const url = await startWorker();
  expect(await readiness(url)).toEqual({ status: 200, body: { status: 'ready' } });

  const end = await holdReconcile();
  for (const key of registryKeys()) await t.redis.hset(key, REGISTRY_AT, Date.now() - MINUTE_MS);
  const { status, body } = await readiness(url);
  expect(status).toBe(503);
  expect(body).toEqual({
    status: 'not_ready',
    reasons: [expect.stringMatching(/^reconcile has not run to its end for \d\d s$/)],
  });

  await end();
  await eventually(async () => expect((await readiness(url)).status).toBe(200));
});

test('a worker is not ready for as long as the APIs refuse clicks because Redis is nearly full', async () => {
  await openTestSale(t);
  const url = await startWorker();
  const seeFilled = async (share: number) => {
    await fillTo(t.redis, share);
    await eventually(async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(Number(/^dropline_redis_memory_ratio (.+)$/m.exec(metrics)?.[1])).toBeCloseTo(share, 2);
    });
  };
  const refusing = (percent: number) => ({
    status: 503,
    body: { status: 'not_ready', reasons: [`Redis has used ${percent} % of its maxmemory: clicks are refused`] },
  });
  await seeFilled(0.82);
  expect((await readiness(url)).status).toBe(200);
  await seeFilled(0.88);
  await seeFilled(0.82);
  expect(await readiness(url)).toEqual(refusing(82));
  await seeFilled(0.75);
  expect((await readiness(url)).status).toBe(200);
  await unfill(t.redis);
});
