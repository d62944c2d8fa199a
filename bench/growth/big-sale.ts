import { readFileSync } from 'node:fs';
import { audit } from '#core/comparison/audit.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { isRegistryWhole } from '#core/redis/registry.js';
import { readStanding } from '#core/redis/sale/standing.js';
import type { Figures } from '../measure/round.js';
import type { BeforeEnd, Rig } from '../rig/rig.js';
import { createWholeSale, forgetAll } from '../rig/sale.js';
import { startWorker } from '../rig/server.js';
import { awaited, restartRedis } from './restarted-redis.js';

/** Free units of the big sale, so that it has something to sell. */
const FREE = 100;

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
  await fill(rig, big, orders);
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

/** Writes the orders of a sale by plain SQL, without triggers, as millions of claims would take minutes. */
async function fill(rig: Rig, saleId: string, orders: number): Promise<void> {
  const client = await rig.pool.connect();
  try {
    await client.query('SET session_replication_role = replica');
    await client.query(
      `INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by)
       SELECT gen_random_uuid(), $1, 'buyer-' || md5(i::text), i, 'pending_payment', 1000, 'EUR', now() + interval '1 hour'
       FROM generate_series(1, $2::int) AS i`,
      [saleId, orders],
    );
    await client.query('ANALYZE orders');
  } finally {
    client.release(true);
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
function mostMemoryMb(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
  } catch {
    return Number.NaN;
  }
}
