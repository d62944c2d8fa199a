import { readFileSync } from 'node:fs';
import { audit } from '#core/comparison/audit.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { isRegistryWhole } from '#core/redis/registry.js';
import { readStanding } from '#core/redis/sale/standing.js';
import type { Figures } from '../measure/round.js';
import type { BeforeEnd, Rig } from '../rig/rig.js';
import { createWholeSale, forgetAll } from '../rig/sale.js';
import { startWorker } from '../rig/server.js';
import { fillOrders } from './orders.js';
import { awaited, restartRedis } from './restarted-redis.js';

/** Free units of the big sale, so that it has something to sell. */
const FREE = 100;
const HOUR_MS = 3_600_000;

/**
 * Asks for the cost of one sale with many orders, beside a neighbour of 100 units.
 *
 * @param beforeEnd remembers to stop the Redis that is started
 * @returns ms from the moment at which Redis serves after a restart, until each sale is open; the most memory of the worker, in MB; ms of
 * a rebuild, for how many of them the sale is shut, and ms of an audit
 */
export async function bigSale(rig: Rig, orders: number, beforeEnd: BeforeEnd): Promise<Figures> {
  await forgetAll(rig);
  const big = await createWholeSale(rig, orders + FREE);
  await fillOrders(rig, big, { orders, payBy: new Date(Date.now() + HOUR_MS) });
  const neighbour = await createWholeSale(rig, 100);
  const rebuilt = await timed(() => shutDuring(rig, big, () => rebuild(rig, big)));
  const audited = await timed(() => audit(rig.db, rig.redis, big));
  if (audited.result?.violations.length !== 0) throw new Error(`the audit found ${audited.result?.violations[0]}`);
  const worker = await startWorker(rig);
  try {
    await awaited(() => isRegistryWhole(rig.redis), 'open sales');
    await restartRedis(rig, beforeEnd);
    const servesAtMs = performance.now();
    const isOpen = async (saleId: string) => (await readStanding(rig.redis, saleId)).verified;
    const openAfter = async (saleId: string) => {
      await awaited(() => isOpen(saleId), `open sale ${saleId}`);
      return performance.now() - servesAtMs;
    };
    const [openMs, neighbourMs] = await Promise.all([openAfter(big), openAfter(neighbour)]);
    await awaited(() => isRegistryWhole(rig.redis), 'open sales');
    worker.expectAlive();
    const figures = { openMs, neighbourMs, workerMb: mostMemoryMb(worker.pid) };
    return { ...figures, rebuildMs: rebuilt.ms, shutMs: rebuilt.result, auditMs: audited.ms };
  } finally {
    await worker.stop();
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const startedAtMs = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startedAtMs };
}

/** Returns for how many ms a sale was shut meanwhile. */
async function shutDuring(rig: Rig, saleId: string, work: () => Promise<unknown>): Promise<number> {
  let shutMs = 0;
  let isOver = false;
  const working = work().finally(() => {
    isOver = true;
  });
  let lastAtMs = performance.now();
  while (!isOver) {
    const { verified } = await readStanding(rig.redis, saleId);
    const nowMs = performance.now();
    if (!verified) shutMs += nowMs - lastAtMs;
    lastAtMs = nowMs;
  }
  await working;
  return shutMs;
}

/** Reads the most memory that a process has ever had, in MB; NaN where there is no /proc. */
export function mostMemoryMb(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
  } catch {
    return Number.NaN;
  }
}
