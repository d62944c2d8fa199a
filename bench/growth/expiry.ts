import { setTimeout as pause } from 'node:timers/promises';
import { rebuild } from '#core/maintenance/rebuild.js';
import { enqueueExpireDue } from '#core/queue/enqueue.js';
import { readStanding } from '#core/redis/sale/standing.js';
import { cpuSeconds, familyCpuSeconds } from '../measure/cpu.js';
import { underLoad } from '../measure/crowd.js';
import type { Figures } from '../measure/round.js';
import type { Rig } from '../rig/rig.js';
import { createWholeSale, forgetAll } from '../rig/sale.js';
import { type Server, startApi, startWorker } from '../rig/server.js';
import { fillOrders } from './orders.js';
import { awaited } from './restarted-redis.js';

/** Time for the preparation, in ms: in all, and for each order. */
const PREPARED_MS = 15_000;
const PREPARED_ORDER_MS = 0.15;

/** The buyers of another sale, each of whom wins a unit: their clicks a second, and for how many seconds before the expiry. */
const OTHERS = { perSecond: 300, idleSeconds: 3 };
/** At least this number of orders end in a second. The other buyers click for as long. */
const EXPIRED_PER_SECOND = 20_000;

/**
 * Asks how long it takes until the units of all orders that expire at the same moment are free again.
 *
 * @returns ms from that moment; CPU time of the worker and of Postgres for each order, in us; the 99th percentile of a claim's
 * latency in another sale before and meanwhile, in ms
 */
export async function expiry(rig: Rig, orders: number): Promise<Figures> {
  await forgetAll(rig);
  const saleId = await createWholeSale(rig, orders);
  const payBy = new Date(Date.now() + PREPARED_MS + PREPARED_ORDER_MS * orders);
  await fillOrders(rig, saleId, { orders, payBy });
  await rebuild(rig, saleId);
  const seconds = Math.max(1, orders / EXPIRED_PER_SECOND);
  const other = await createWholeSale(rig, Math.ceil((OTHERS.idleSeconds + seconds) * OTHERS.perSecond));
  const worker = await startWorker(rig);
  const api = await startApi(rig);
  try {
    const idleP99Ms = await p99Of(rig, api, { saleId: other, first: 0, seconds: OTHERS.idleSeconds });
    await enqueueExpireDue(rig.queues, saleId, payBy.getTime());
    const leftMs = payBy.getTime() - Date.now();
    if (leftMs < 0) throw new Error('the orders expire before everything is prepared');
    await pause(leftMs);
    const used = () => [cpuSeconds(worker.pid), familyCpuSeconds(rig.stores.postgres.pid)] as const;
    const before = used();
    const others = p99Of(rig, api, { saleId: other, first: OTHERS.idleSeconds * OTHERS.perSecond, seconds });
    await awaited(async () => (await readStanding(rig.redis, saleId)).free === orders, 'free units');
    const releasedMs = Date.now() - payBy.getTime();
    const after = used();
    const perOrder = (i: 0 | 1) => (1e6 * (after[i] - before[i])) / orders;
    return { releasedMs, workerUs: perOrder(0), postgresUs: perOrder(1), idleP99Ms, othersP99Ms: await others };
  } finally {
    await api.stop();
    await worker.stop();
  }
}

/** Lets buyers click, each once and at a fixed rate. */
async function p99Of(
  rig: Rig,
  api: Server,
  { saleId, first, seconds }: { saleId: string; first: number; seconds: number },
): Promise<number> {
  const count = Math.floor(seconds * OTHERS.perSecond);
  const crowd = { path: `/buy/${saleId}`, first, count, seconds: seconds + 1, perSecond: OTHERS.perSecond };
  const { outcome } = await underLoad(rig, { server: api, crowd, expected: [202] });
  return outcome.latency?.p99 ?? Number.NaN;
}
