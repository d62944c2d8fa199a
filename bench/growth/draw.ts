import { randomUUID } from 'node:crypto';
import { audit } from '#core/comparison/audit.js';
import { createSale } from '#core/operator/create-sale.js';
import { CLAIM_BATCH_MAX, claim } from '#core/redis/claims/claim.js';
import { readJoining } from '#core/redis/draw/joining.js';
import { keysOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { dropSale, readLoadedSale } from '#core/redis/sale/sale.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { buyerName } from '../load/plan.js';
import { cpuSeconds } from '../measure/cpu.js';
import type { Figures } from '../measure/round.js';
import type { Rig } from '../rig/rig.js';
import { forgetAll } from '../rig/sale.js';
import { startWorker } from '../rig/server.js';
import { mostMemoryMb } from './big-sale.js';
import { awaited } from './restarted-redis.js';

const HOUR_MS = 3_600_000;
/** Entries for each unit. */
const ENTRIES_PER_UNIT = 100;
/** Buyers who join one of the two lines before it is the other one's turn. */
const TURN = 50 * CLAIM_BATCH_MAX;
/** The worker has begun its rounds when the sale opens, in ms. */
const OPENS_AFTER_MS = 3_000;
/** Redis keeps commands that take longer, in us. */
const SLOW_US = 1_000;
const SLOW_MAX = 10_000;

/**
 * Asks how long the lots of a draw take, with a unit for every hundredth entry.
 *
 * @returns us of Redis for joining the draw and for joining the standby of a sale that is sold out, by turns; entries that the worker
 * stores in a second; ms from the opening until the order is made, until the units are offered, and until all are placed; CPU time of the
 * worker and of Redis for it, in s; the longest command of Redis meanwhile, in ms; the most memory of the worker and of Redis, in MB
 */
export async function draw(rig: Rig, entries: number): Promise<Figures> {
  await forgetAll(rig);
  await rig.redis.config('SET', 'slowlog-log-slower-than', SLOW_US);
  await rig.redis.config('SET', 'slowlog-max-len', SLOW_MAX);
  const units = entries / ENTRIES_PER_UNIT;
  const saleId = await createDraw(rig, units);
  const costs = await joinByTurns(rig, saleId, entries);
  const worker = await startWorker(rig);
  try {
    const startedAtMs = performance.now();
    await awaited(async () => (await readJoining(rig.redis, saleId)).unstored === 0, 'stored entries');
    const storedPerSecond = (1_000 * entries) / (performance.now() - startedAtMs);
    await rig.redis.slowlog('RESET');
    const used = () => [worker.pid, rig.stores.redis.pid].map(cpuSeconds);
    const [workerBefore = 0, redisBefore = 0] = used();
    const times = await draws(rig, saleId, units);
    const [workerAfter = 0, redisAfter = 0] = used();
    const cpu = { workerSeconds: workerAfter - workerBefore, redisSeconds: redisAfter - redisBefore };
    worker.expectAlive();
    const slowestMs = await slowestOf(rig);
    const memory = { workerMb: mostMemoryMb(worker.pid), redisMb: await mostRedisMb(rig) };
    const audited = await audit(rig.db, rig.redis, saleId);
    if (audited?.violations.length !== 0) throw new Error(`the audit found ${audited?.violations[0]}`);
    return { ...costs, storedPerSecond, ...times, ...cpu, slowestMs, ...memory };
  } finally {
    await worker.stop();
  }
}

async function createDraw(rig: Rig, units: number): Promise<string> {
  const nowMs = Date.now();
  const times = { joinsAtMs: nowMs - HOUR_MS, opensAtMs: nowMs + HOUR_MS, closesAtMs: nowMs + 2 * HOUR_MS };
  const sale = ordinarySale({ units, opening: 'draw', payWithinSeconds: 3_600, ...times });
  await createSale(rig, sale);
  return sale.id;
}

/** Lets all buyers join a draw, and as many join the standby of a sale in Redis that is sold out. */
async function joinByTurns(rig: Rig, saleId: string, entries: number): Promise<Figures> {
  const rush = ordinarySale({ units: 1, standbyFactor: entries });
  await openSale(rig.redis, rush);
  await join(rig, rush.id, { first: entries, end: entries + 1 });
  let [joinUs, standbyUs] = [0, 0];
  for (let first = 0; first < entries; first += TURN) {
    const turn = { first, end: Math.min(entries, first + TURN) };
    joinUs += await microsOf(rig, () => join(rig, saleId, turn));
    standbyUs += await microsOf(rig, () => join(rig, rush.id, turn));
  }
  await dropSale(rig.redis, rush.id);
  return { joinUs: joinUs / entries, standbyUs: standbyUs / entries };
}

async function join(rig: Rig, saleId: string, { first, end }: { first: number; end: number }): Promise<void> {
  for (let done = first; done < end; done += CLAIM_BATCH_MAX) {
    const count = Math.min(CLAIM_BATCH_MAX, end - done);
    const requests = Array.from({ length: count }, (_, i) => ({ buyerId: buyerName(done + i), claimId: randomUUID() }));
    for (const { kind } of await claim(rig.redis, saleId, requests)) {
      if (kind === 'sold_out' || kind === 'refused') throw new Error(`a buyer should have joined: ${kind}`);
    }
  }
}

async function microsOf(rig: Rig, work: () => Promise<void>): Promise<number> {
  await rig.redis.config('RESETSTAT');
  await work();
  const stats = await rig.redis.info('commandstats');
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=\d+,usec=(\d+)/g)].reduce((sum, [, us]) => sum + Number(us), 0);
}

/** Opens a draw in both stores, and waits for its lots. */
async function draws(rig: Rig, saleId: string, units: number): Promise<Figures> {
  const opensAtMs = Date.now() + OPENS_AFTER_MS;
  await rig.pool.query('UPDATE sales SET opens_at = $2 WHERE id = $1', [saleId, new Date(opensAtMs)]);
  await rig.redis.hset(keysOf(saleId).sale, 'opensAtMs', opensAtMs);
  const after = async (holds: () => Promise<boolean>, what: string) => {
    await awaited(holds, what);
    return Date.now() - opensAtMs;
  };
  const sale = () => readLoadedSale(rig.redis, saleId);
  const orderedMs = await after(async () => (await sale())?.line === 'ordered', 'order');
  const offeredMs = await after(async () => (await sale())?.claims === units, 'offers');
  const placed = 'SELECT count(*) AS count FROM orders WHERE sale_id = $1';
  const isPlaced = async () => Number((await rig.pool.query(placed, [saleId])).rows[0]?.count) === units;
  return { orderedMs, offeredMs, placedMs: await after(isPlaced, 'orders') };
}

/** Returns the longest time that Redis worked at one command, in ms; {@link SLOW_US} at least. */
async function slowestOf(rig: Rig): Promise<number> {
  const slow = (await rig.redis.slowlog('GET', SLOW_MAX)) as [number, number, number, string[]][];
  return Math.max(SLOW_US, ...slow.map(([, , us]) => us)) / 1_000;
}

async function mostRedisMb(rig: Rig): Promise<number> {
  return Number(/used_memory_peak:(\d+)/.exec(await rig.redis.info('memory'))?.[1]) / 1_024 ** 2;
}
