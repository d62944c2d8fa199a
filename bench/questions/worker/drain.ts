import { join } from 'node:path';
import { enqueuePlaceWaiting } from '#core/queue/enqueue.js';
import { keysOf } from '#core/redis/keys.js';
import { startPgBouncer } from '#stack/pooler/pgbouncer.js';
import { until } from '#stack/processes/until.js';
import { cpuSeconds, familyCpuSeconds } from '../../measure/cpu.js';
import type { Contestant, Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createWholeSale, forgetAll, winAll } from '../../rig/sale.js';
import { startWorker } from '../../rig/server.js';

const DRAINED_WITHIN_MS = 120_000;
const MICROS = 1e6;

/** Asks how fast one worker places a backlog, and how much memory a winner takes in Redis before and after. */
export function drain(rig: Rig): Contestant {
  return {
    name: 'drain',
    measure: () => measureDrain(rig, rig.stores.databaseUrl),
  };
}

/** Asks the same of a worker that reaches Postgres through PgBouncer in transaction mode. */
export function drainPooled(rig: Rig): Contestant {
  return {
    name: 'drainPooled',
    async measure() {
      const { folder, databaseUrl } = rig.stores;
      const pooler = await startPgBouncer({ dir: join(folder, 'pgbouncer'), databaseUrl, mode: 'transaction' });
      try {
        return await measureDrain(rig, pooler.through(databaseUrl));
      } finally {
        await pooler.stop();
      }
    },
  };
}

async function measureDrain(rig: Rig, databaseUrl: string): Promise<Figures> {
  await forgetAll(rig);
  const emptyBytes = await usedMemory(rig);
  const saleId = await createWholeSale(rig, rig.options.backlog);
  await winAll(rig, { saleId, first: 0, count: rig.options.backlog });
  await enqueuePlaceWaiting(rig.queues, { saleId });
  const unplacedBytes = await usedMemory(rig);
  const figures = await drainAll(rig, saleId, databaseUrl);
  const placedBytes = await usedMemory(rig);
  return {
    ...figures,
    bytesPerWinner: (placedBytes - emptyBytes) / rig.options.backlog,
    bytesPerUnplaced: (unplacedBytes - emptyBytes) / rig.options.backlog,
  };
}

async function drainAll(rig: Rig, saleId: string, databaseUrl: string): Promise<Figures> {
  const { outbox } = keysOf(saleId);
  const worker = await startWorker(rig, databaseUrl);
  const left = () => {
    worker.expectAlive();
    return rig.redis.zcard(outbox);
  };
  try {
    // The clock begins with the first order, so that the start of the worker is not in the figure.
    await until(async () => (await left()) < rig.options.backlog, DRAINED_WITHIN_MS);
    const startMs = performance.now();
    const backlog = await left();
    const before = { worker: cpuSeconds(worker.pid), postgres: postgresSeconds(rig), redis: redisSeconds(rig) };
    const drained = await until(async () => (await left()) === 0, DRAINED_WITHIN_MS);
    if (!drained)
      throw new Error(`${await left()} of ${backlog} claims were not placed in ${DRAINED_WITHIN_MS / 1_000} s`);
    const seconds = (performance.now() - startMs) / 1_000;
    const perOrder = (from: number, to: number) => ((to - from) * MICROS) / backlog;
    const figures = {
      perSecond: backlog / seconds,
      workerMicros: perOrder(before.worker, cpuSeconds(worker.pid)),
      postgresMicros: perOrder(before.postgres, postgresSeconds(rig)),
      redisMicros: perOrder(before.redis, redisSeconds(rig)),
    };
    await expectOrders(rig, saleId, rig.options.backlog);
    return figures;
  } finally {
    await worker.stop();
  }
}

const postgresSeconds = (rig: Rig): number => familyCpuSeconds(rig.stores.postgres.pid);
const redisSeconds = (rig: Rig): number => cpuSeconds(rig.stores.redis.pid);

async function usedMemory(rig: Rig): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await rig.redis.info('memory'))?.[1]);
}

/** Counts the orders of a sale in Postgres. */
export async function countOrders(rig: Rig, saleId: string): Promise<number> {
  const { rows } = await rig.pool.query('SELECT count(*)::int AS orders FROM orders WHERE sale_id = $1', [saleId]);
  return (rows[0] as { orders: number }).orders;
}

async function expectOrders(rig: Rig, saleId: string, expected: number): Promise<void> {
  const orders = await countOrders(rig, saleId);
  if (orders !== expected) throw new Error(`${expected} claims were placed, and Postgres holds ${orders} orders`);
}
