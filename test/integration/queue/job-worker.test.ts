import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { UnrecoverableError } from 'bullmq';
import pLimit from 'p-limit';
import { enqueueCancelOrder, enqueueExpireDue, enqueuePayOrder, enqueueSettleReceipt } from '#core/queue/enqueue.js';
import type { JobData } from '#core/queue/jobs.js';
import { createQueues, queuesOf } from '#core/queue/queues.js';
import { startJobWorker } from '#core/queue/worker.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { freePort } from '#stack/processes/free-port.js';
import { startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../../support/eventually.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const READY_MS = 60_000;
/** It only ends a test that fails, before its time-out does. A waiting job runs at once. */
const RUNS_WITHIN_MS = 10_000;

type ClickJob = 'pay-order' | 'cancel-order' | 'settle-receipt';

let connection: Redis;
let done: string[];

beforeEach(async () => {
  done = [];
  for (const queue of queuesOf(t.queues)) await queue.drain();
  connection = connectRedis(t.redisUrl, 'worker', () => undefined);
  await waitUntilReady(connection, READY_MS);
});
afterEach(() => connection.disconnect());

const aJob = (wanted: Partial<JobData<'cancel-order'>> = {}): JobData<'cancel-order'> => ({
  saleId: 'sale',
  claimId: randomUUID(),
  buyerId: 'ann',
  unit: 1,
  ...wanted,
});

/** Starts a worker that fails for the buyer `bob`, or ends every job as failed, and collects what it runs and reports. */
function startWorker(name: ClickJob = 'cancel-order', { isBroken = false } = {}) {
  const observer = {
    onDone: (name: string) => done.push(`done ${name}`),
    onFailed: (_name: string, error: Error) => done.push(`failed ${error.message.split('\n')[0]}`),
    onError: () => undefined,
  };
  const run = async ({ buyerId }: JobData<ClickJob>) => {
    done.push(`ran ${buyerId}`);
    if (isBroken) throw new UnrecoverableError('for good');
    if (buyerId === 'bob') throw new Error('for bob');
  };
  return startJobWorker(name, run, { connection, limit: pLimit(1), observer });
}

test('a worker reports what it has done and what has failed, and runs no job of another form', async () => {
  const worker = startWorker();
  try {
    const queue = t.queues.of('')['cancel-order'];
    await queue.add('cancel-order', aJob({ saleId: 'a b' }), { attempts: 1 });
    await eventually(() => expect(done).toHaveLength(1));
    expect(done[0]).toMatch(/^failed/);
    await queue.add('cancel-order', aJob(), { attempts: 1 });
    await eventually(() => expect(done.slice(1)).toEqual(['ran ann', 'done cancel-order']));
    await queue.add('cancel-order', aJob({ buyerId: 'bob' }), { attempts: 1 });
    await eventually(() => expect(done.slice(3)).toEqual(['ran bob', 'failed for bob']));
  } finally {
    await worker.close();
  }
});

describe('a second click adds no second job while the first one waits', () => {
  test.each([
    ['pay-order', enqueuePayOrder],
    ['cancel-order', enqueueCancelOrder],
    ['settle-receipt', enqueueSettleReceipt],
  ] as const)('%s', async (name, enqueue) => {
    const [job, other] = [aJob({ saleId: name }), aJob({ saleId: name })];
    for (const one of [job, job, other, job]) await enqueue(t.queues, one);
    const waiting = (await t.queues.of('')[name].getWaiting()).filter(({ data }) => data.saleId === name);
    expect(waiting.map(({ data }) => data.claimId).sort()).toEqual([job.claimId, other.claimId].sort());
  });
});

describe('a click after the job of an earlier one has ended, and is kept, adds a job that runs', () => {
  test.each([
    ['pay-order', enqueuePayOrder],
    ['cancel-order', enqueueCancelOrder],
    ['settle-receipt', enqueueSettleReceipt],
  ] as const)('%s', async (name, enqueue) => {
    const job = aJob();
    const ended = async () => {
      const jobs = await t.queues.of('')[name].getJobs(['completed', 'failed']);
      return jobs.filter(({ data }) => data.claimId === job.claimId);
    };
    for (const [before, isBroken] of [false, true, false].entries()) {
      expect(await ended()).toHaveLength(before);
      // BullMQ leaves out a job that has the id of one that it keeps.
      await enqueue(t.queues, job);
      const worker = startWorker(name, { isBroken });
      await eventually(async () => expect(await ended()).toHaveLength(before + 1), RUNS_WITHIN_MS).finally(() =>
        worker.close(),
      );
    }
  });
});

test('orders whose deadline has passed expire at once', async () => {
  const payByMs = Date.now() - 5_000;
  await enqueueExpireDue(t.queues, 'a-sale', payByMs);
  const waiting = await t.queues.of('')['expire-due'].getWaiting();
  expect(waiting.map(({ data }) => data)).toContainEqual({ dueAtMs: 1_000 * Math.ceil(payByMs / 1_000) });
});

test('a queue whose first connection failed takes jobs once Redis is there', async () => {
  const [port, dir] = [await freePort(), await createTemporaryFolder()];
  const late = connectRedis(`redis://127.0.0.1:${port}`, 'api', () => undefined);
  const queues = createQueues(late, () => undefined);
  await expect(enqueueCancelOrder(queues, aJob())).rejects.toThrow();
  const server = await startRedis({ dir, port });
  try {
    await eventually(() => enqueueCancelOrder(queues, aJob()));
    await eventually(async () => expect(await queues.of('')['cancel-order'].getWaitingCount()).toBeGreaterThan(0));
  } finally {
    late.disconnect();
    await server.stop();
    await removeTemporaryFolder(dir);
  }
});
