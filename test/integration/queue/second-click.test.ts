import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import pLimit from 'p-limit';
import { enqueuePayOrder } from '#core/queue/enqueue.js';
import { startJobWorker } from '#core/queue/worker.js';
import { eventually } from '../../support/eventually.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('a click to pay while the job of an earlier one runs makes the job run once more', async () => {
  const order = { saleId: 'sale', claimId: randomUUID(), buyerId: 'ann' };
  // A buyer whose click was not queued in time clicks again.
  const click = () => eventually(() => enqueuePayOrder(t.queues, order));
  let runs = 0;
  const run = async () => {
    runs += 1;
    if (runs === 1) await click();
  };
  const observer = { onDone: () => undefined, onFailed: () => undefined, onError: () => undefined };
  const worker = startJobWorker('pay-order', run, { connection: t.redis, limit: pLimit(1), observer });
  try {
    await click();
    await eventually(() => expect(runs).toBeGreaterThan(1));
  } finally {
    await worker.close();
  }
});
