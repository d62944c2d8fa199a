import { setTimeout as pause } from 'node:timers/promises';
import { rebuild } from '#core/maintenance/rebuild.js';
import { enqueueExpireDue } from '#core/queue/enqueue.js';
import { readStanding } from '#core/redis/sale/standing.js';
import { cpuSeconds, familyCpuSeconds } from '../measure/cpu.js';
import type { Figures } from '../measure/round.js';
import type { Rig } from '../rig/rig.js';
import { createWholeSale, forgetAll } from '../rig/sale.js';
import { startWorker } from '../rig/server.js';
import { fillOrders } from './orders.js';
import { awaited } from './restarted-redis.js';

/** Time for the preparation, in ms: in all, and for each order. */
const PREPARED_MS = 10_000;
const PREPARED_ORDER_MS = 0.15;

/**
 * Asks how long it takes until the units of all orders that expire at the same moment are free again.
 *
 * @returns ms from that moment, and CPU time of the worker and of Postgres for each order, in us
 */
export async function expiry(rig: Rig, orders: number): Promise<Figures> {
  await forgetAll(rig);
  const saleId = await createWholeSale(rig, orders);
  const payBy = new Date(Date.now() + PREPARED_MS + PREPARED_ORDER_MS * orders);
  await fillOrders(rig, saleId, { orders, payBy });
  await rebuild(rig, saleId);
  const worker = await startWorker(rig);
  try {
    await enqueueExpireDue(rig.queues, payBy.getTime());
    const leftMs = payBy.getTime() - Date.now();
    if (leftMs < 0) throw new Error('the orders expire before everything is prepared');
    await pause(leftMs);
    const used = () => [cpuSeconds(worker.pid), familyCpuSeconds(rig.stores.postgres.pid)] as const;
    const before = used();
    await awaited(async () => (await readStanding(rig.redis, saleId)).free === orders, 'free units');
    const releasedMs = Date.now() - payBy.getTime();
    const after = used();
    const perOrder = (i: 0 | 1) => (1e6 * (after[i] - before[i])) / orders;
    return { releasedMs, workerUs: perOrder(0), postgresUs: perOrder(1) };
  } finally {
    await worker.stop();
  }
}
