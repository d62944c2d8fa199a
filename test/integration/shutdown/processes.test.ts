import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { enqueuePlaceWaiting } from '#core/queue/enqueue.js';
import type { GuardedProcess } from '#stack/processes/guarded-process.js';
import { createSecrets } from '#stack/secrets.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { type App, startApp } from '../../support/processes/app.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { countBlocked } from '../../support/stores/blocked.js';
import { useStores } from '../../support/stores/stores.js';

// The worker and the admin get a real SIGTERM while they have work under way. Those of the API are in api-faults/process.test.ts
// and winners.test.ts, and those of a worker's rounds in rounds.test.ts.

/** The lock of the test lasts until the worker has been asked to end, however slow the machine. In ms. */
const LOCK_MS = 60_000;

const t = useStores();
let started: GuardedProcess[] = [];

beforeAll(build);
afterEach(async () => {
  await Promise.all(started.map(process => process.kill()));
  started = [];
});

async function start(name: 'worker' | 'admin', settings: Record<string, string>): Promise<App> {
  const app = await startApp(name, { REDIS_URL: t.redisUrl, DATABASE_URL: t.databaseUrl, ...settings });
  started.push(app.process);
  return app;
}

describe('on SIGTERM', () => {
  test('a worker finishes its job and its round, leaves no job half done, and ends with 0', async () => {
    const sale = await openTestSale(t);
    const worker = await start('worker', {});
    await worker.untilSaid(/"msg":"worker ready"/);
    await winOne(t, sale, 'ann');
    await t.db.$transaction(
      async held => {
        await held.$executeRaw`LOCK TABLE orders IN EXCLUSIVE MODE`;
        await enqueuePlaceWaiting(t.queues, { saleId: sale.id });
        await eventually(async () => expect(await countBlocked(t.db, '%INSERT INTO orders%')).toBeGreaterThan(0));
        process.kill(worker.process.pid, 'SIGTERM');
        await worker.untilSaid(/"msg":"ending"/);
      },
      { timeout: LOCK_MS, maxWait: LOCK_MS },
    );
    expect(await worker.process.ended).toEqual({ code: 0, signal: null });
    expect(worker.said()).toMatch(/"inOrder":true.*"msg":"ended"/);
    const placed = await t.db.order.count({ where: { saleId: sale.id, status: 'pending_payment' } });
    const snapshot = await readSnapshot(t.redis, sale.id);
    const recorded = snapshot?.claims.get('ann')?.status === 'pending_payment' ? 1 : 0;
    const { active, delayed = 0 } = await t.queues.of('')['place-waiting'].getJobCounts('active', 'delayed');
    // On a busy machine the job has waited too long for the lock: then it has failed in order, and is to be repeated.
    expect(delayed).toBeLessThanOrEqual(worker.said().includes('lock timeout') ? 1 : 0);
    expect({ active, placed, recorded, inOutbox: snapshot?.outbox.size }).toEqual({
      active: 0,
      placed: 1 - delayed,
      recorded: 1 - delayed,
      inOutbox: delayed,
    });
  });

  test('the admin finishes the requests in flight, accepts no new ones, and ends with 0', async () => {
    const secrets = createSecrets();
    const admin = await start('admin', { ...secrets, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: '0' });
    await admin.untilSaid(/"msg":"listening"/);
    const port = Number(/"port":(\d+)/.exec(admin.said())?.[1]);
    let answer = '';
    const busy = connect(port, '127.0.0.1', () => {
      busy.write('POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n');
      busy.write('Transfer-Encoding: chunked\r\n\r\n6\r\ntoken=\r\n');
    });
    busy.on('data', chunk => {
      answer += chunk;
    });
    await eventually(() => expect(busy.bytesWritten).toBeGreaterThan(0));
    // The admin answers on another connection only after it has read the first one.
    await fetch(`http://127.0.0.1:${port}/healthz`);
    process.kill(admin.process.pid, 'SIGTERM');
    await eventually(() => expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow());
    expect(answer).toBe('');
    busy.write('5\r\nwrong\r\n0\r\n\r\n');
    expect(await admin.process.ended).toEqual({ code: 0, signal: null });
    expect(answer).toMatch(/^HTTP\/1\.1 40[013] /);
  });
});
