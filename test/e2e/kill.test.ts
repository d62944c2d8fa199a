import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { queuesOf } from '#core/queue/queues.js';
import type { Stage } from '#stack/crowd/buyer.js';
import type { Crowd } from '#stack/crowd/crowd.js';
import { eventually } from '../support/eventually.js';
import { expectEachUnitOnce, expectProof, impatient, PATIENCE_MS, rush, survivors } from '../support/rush.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// kill -9 in the middle of a rush: every promise from before holds afterwards.

const PRICE_MINOR = 4_900;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  const buyerIds = impatient(5_000, 1).map(({ buyerId }) => buyerId);
  await stack.credit(buyerIds, 2 * PRICE_MINOR);
});
afterAll(() => stack?.stop());

/** The stages that follow a stage. A buyer may pass through a stage between two looks. */
const FOLLOWING: Partial<Record<Stage, Stage[]>> = { queued: ['pending_payment', 'paid', 'cancelled'] };

/** Waits until a buyer has reached a stage, or until the crowd has gone home: then none of them ever will. */
async function reached(crowd: Crowd, stage: Stage): Promise<void> {
  const expectReached = () => {
    const stages = crowd.stages();
    const there = [stage, ...(FOLLOWING[stage] ?? [])].filter(one => stages[one] !== undefined);
    expect({ stages, there }).toEqual({ stages, there: expect.arrayContaining([expect.any(String)]) });
  };
  await Promise.race([eventually(expectReached, PATIENCE_MS), crowd.finished.then(expectReached)]);
}

function expectNothingQueued(): Promise<void> {
  return eventually(async () => {
    for (const queue of queuesOf(stack.connections.queues)) {
      const counts = await queue.getJobCounts('wait', 'active', 'prioritized', 'delayed');
      expect(counts).toEqual({ wait: 0, active: 0, prioritized: 0, delayed: 0 });
    }
  });
}

test('the audit holds and no job stays queued after the worker was killed three times', async () => {
  const units = 50;
  const saleId = await stack.createSale({ units, standbyFactor: 0, payWithinSeconds: 5, priceMinor: PRICE_MINOR });
  const crowd = rush(stack, saleId, impatient(5_000, 2));
  const buyers = survivors(stack, saleId, crowd);
  // While claims become orders, while orders are paid, and while unpaid orders expire.
  for (const stage of ['queued', 'paid', 'cancelled'] as const) {
    await reached(crowd, stage);
    await stack.worker.kill9();
    await stack.worker.restart();
  }
  const { reckoning } = await expectProof(stack, saleId, await buyers);
  expect(reckoning).toMatchObject({ placed: units, claimed: reckoning.paid + reckoning.cancelled });
  expect(await stack.audit(saleId)).toMatchObject({ free: units - reckoning.paid, unplaced: 0 });
  await expectNothingQueued();
});

test('every accepted claim becomes an order when the APIs are killed', async () => {
  const units = 200;
  const saleId = await stack.createSale({ units, standbyFactor: 0, priceMinor: PRICE_MINOR });
  await stack.worker.kill9();
  const crowd = rush(stack, saleId, impatient(units, 1));
  const buyers = survivors(stack, saleId, crowd);
  await reached(crowd, 'queued');
  await Promise.all(stack.apis.map(api => api.kill9()));
  await Promise.all([stack.worker, ...stack.apis].map(process => process.restart()));
  await expectProof(stack, saleId, await buyers);
  await expectEachUnitOnce(stack, saleId, units);
});

test('a paused queue of payments keeps nobody from paying in time', async () => {
  const units = 20;
  const saleId = await stack.createSale({ units, standbyFactor: 0, payWithinSeconds: 12, priceMinor: PRICE_MINOR });
  await stack.connections.queues.of('')['pay-order'].pause();
  // These buyers have not paid before, so all of them have money.
  const payers = impatient(units, 1, 'patient-');
  await stack.credit(
    payers.map(({ buyerId }) => buyerId),
    PRICE_MINOR,
  );
  const crowd = rush(stack, saleId, payers);
  const { reckoning } = await expectProof(stack, saleId, await survivors(stack, saleId, crowd));
  await stack.connections.queues.of('')['pay-order'].resume();
  expect(reckoning).toMatchObject({ placed: units, paid: units, cancelled: 0 });
});

test('the supervisor restarts a process that dies', async () => {
  const pids = [stack.worker, ...stack.apis].map(process => process.pid());
  for (const pid of pids) process.kill(pid ?? Number.NaN, 'SIGKILL');
  await eventually(() => {
    const now = [stack.worker, ...stack.apis].map(process => process.pid());
    for (const [i, pid] of now.entries()) {
      expect(pid).toEqual(expect.any(Number));
      expect(pid).not.toBe(pids[i]);
    }
  });
  const saleId = await stack.createSale({ units: 1 });
  await stack.buy('after', saleId);
  await eventually(async () => expect((await stack.status('after', saleId)).status).toBe('pending_payment'));
});
