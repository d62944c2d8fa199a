import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pLimit from 'p-limit';
import { enqueuePaymentEvent } from '#core/queue/enqueue.js';
import type { JobData } from '#core/queue/jobs.js';
import { startJobWorker } from '#core/queue/worker.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { eventually } from '../../support/eventually.js';
import { useStores } from '../../support/stores/stores.js';

// A payment provider sends an event again, under the same id. BullMQ keeps jobs that have ended for up to a day, and would
// ignore a job with the id of one of them.

const t = useStores();

const READY_MS = 60_000;
const EVENT: JobData<'payment-event'> = {
  provider: 'signed-webhook',
  event: { eventId: 'evt_again', type: 'payment_intent.succeeded' },
};

let connection: Redis;
let worker: { close(): Promise<void> } | undefined;
beforeEach(async () => {
  connection = connectRedis(t.redisUrl, 'worker', () => undefined);
  await waitUntilReady(connection, READY_MS);
});
afterEach(async () => {
  await worker?.close();
  worker = undefined;
  connection.disconnect();
  await t.queues.of('')['payment-event'].obliterate({ force: true });
});

/** Starts a worker, and returns the ids of the events that it has begun. */
function startWorker(run: () => Promise<void>): string[] {
  const begun: string[] = [];
  const observer = { onDone: () => undefined, onFailed: () => undefined, onError: () => undefined };
  const take = async ({ event }: JobData<'payment-event'>) => {
    begun.push(event.eventId);
    await run();
  };
  worker = startJobWorker('payment-event', take, { connection, limit: pLimit(1), observer });
  return begun;
}

const countJobs = (...states: ('waiting' | 'completed' | 'failed' | 'active')[]) =>
  t.queues.of('')['payment-event'].getJobCountByTypes(...states);

test('an event that is sent again after its job has failed for good is taken', async () => {
  let isBroken = true;
  const begun = startWorker(async () => {
    if (isBroken) throw Object.assign(new Error('for good'), { name: 'UnrecoverableError' });
  });
  await enqueuePaymentEvent(t.queues, EVENT);
  await eventually(async () => expect(await countJobs('failed')).toBe(1));
  isBroken = false;
  await enqueuePaymentEvent(t.queues, EVENT);
  await eventually(async () => expect(await countJobs('completed')).toBe(1));
  expect(begun).toEqual(['evt_again', 'evt_again']);
});

test('an event that is sent again while its job runs, and may still fail, is taken', async () => {
  let end = () => {};
  const ended = new Promise<void>(resolve => {
    end = resolve;
  });
  const begun = startWorker(() => ended);
  await enqueuePaymentEvent(t.queues, EVENT);
  await eventually(() => expect(begun).toHaveLength(1));
  await enqueuePaymentEvent(t.queues, EVENT);
  expect(await countJobs('active', 'waiting')).toBe(2);
  end();
  await eventually(async () => expect(await countJobs('completed')).toBe(2));
});
