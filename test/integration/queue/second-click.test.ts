import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import pLimit from 'p-limit';
import { enqueuePayOrder } from '#core/queue/enqueue.js';
import { startJobWorker } from '#core/queue/worker.js';
import { eventually } from '../../support/eventually.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** It only ends a test that fails. */
const RUNS_WITHIN_MS = 10_000;

test('a click to pay while the job of an earlier one runs makes the job run once more', async () => {
  const order = { saleId: 'sale', claimId: randomUUID(), buyerId: 'ann' };
  let runs = 0;
  const run = async () => {
    runs += 1;
    if (runs === 1) await enqueuePayOrder(t.queues, order);
  };
  const observer = { onDone: () => undefined, onFailed: () => undefined, onError: () => undefined };
  const worker = startJobWorker('pay-order', run, { connection: t.redis, limit: pLimit(1), observer });
  try {
    await enqueuePayOrder(t.queues, order);
    await eventually(() => expect(runs).toBe(2), RUNS_WITHIN_MS);
  } finally {
    await worker.close();
  }
});
