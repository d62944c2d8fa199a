import { setTimeout as pause } from 'node:timers/promises';
import { createSale } from '#core/operator/create-sale.js';
import { isRegistryWhole } from '#core/redis/registry.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { until } from '#stack/processes/until.js';
import { cpuSeconds, familyCpuSeconds } from '../measure/cpu.js';
import type { Figures } from '../measure/round.js';
import type { Rig } from '../rig/rig.js';
import { forgetAll } from '../rig/sale.js';
import { startWorker } from '../rig/server.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Sales that are created at the same time. */
const AT_ONCE = 8;
/** A worker opens every sale first, in ms. */
const OPENED_WITHIN_MS = 300_000;
/** After this time the first comparisons of a few sales are over; those of many are spread, in ms. */
const CALM_MS = 10_000;

/** Creates sales that open tomorrow, so that nobody buys. */
export async function createIdleSales(rig: Rig, count: number): Promise<void> {
  const opensAtMs = Date.now() + DAY_MS;
  let made = 0;
  const makeSome = async () => {
    while (made < count) {
      made += 1;
      const times = { opensAtMs, closesAtMs: opensAtMs + DAY_MS };
      await createSale(rig, ordinarySale({ id: `idle-${made}`, units: 100, ...times }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, makeSome));
}

/**
 * Asks what a number of sales costs in which nothing happens.
 *
 * @returns cores of the worker, of Redis and of Postgres, and the commands that Redis runs in a second
 */
export async function idleSales(rig: Rig, sales: number): Promise<Figures> {
  await forgetAll(rig);
  await createIdleSales(rig, sales);
  const worker = await startWorker(rig);
  try {
    if (!(await until(() => isRegistryWhole(rig.redis), OPENED_WITHIN_MS))) throw new Error('not every sale is open');
    await pause(CALM_MS);
    const used = async () => ({
      worker: cpuSeconds(worker.pid),
      redis: cpuSeconds(rig.stores.redis.pid),
      postgres: familyCpuSeconds(rig.stores.postgres.pid),
      commands: await commandsOf(rig),
      ms: performance.now(),
    });
    const before = await used();
    await pause(rig.options.idleSeconds * 1_000);
    const after = await used();
    const seconds = (after.ms - before.ms) / 1_000;
    return {
      workerCores: (after.worker - before.worker) / seconds,
      redisCores: (after.redis - before.redis) / seconds,
      postgresCores: (after.postgres - before.postgres) / seconds,
      redisCommands: (after.commands - before.commands) / seconds,
    };
  } finally {
    await worker.stop();
  }
}

async function commandsOf({ redis }: Rig): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
}
