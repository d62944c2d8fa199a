import { ping } from '#core/orders/database.js';
import { readOutbox } from '#core/stock/outbox.js';
import { listLoadedSales } from '#core/stock/registry.js';
import type { WorkerContext } from './context.js';

/** How often it looks, in ms. */
const LOOK_EVERY_MS = 10_000;

/**
 * A claim of this age was passed over by its job, and by rescue several times, in ms: unless a store is away, something in
 * this process hangs that no timeout knows of (a half-open connection, a wedged BullMQ worker).
 */
const LEFT_BEHIND_MS = 60_000;

/**
 * Ends the process when claims are left behind although both stores answer, so that its supervisor starts a fresh one.
 *
 * @param ctx the worker's clients
 * @returns `stop()` ends the watch
 */
export function startWatchdog(ctx: WorkerContext): { stop(): void } {
  const look = async () => {
    await ping(ctx.db);
    for (const saleId of await listLoadedSales(ctx.redis)) {
      const left = await readOutbox(ctx.redis, saleId, LEFT_BEHIND_MS, 1);
      if (left.length === 0) continue;
      ctx.log.fatal({ saleId }, 'claims are left behind although both stores answer: ending, to be started anew');
      process.exit(1);
    }
  };
  // A store that doesn't answer is not this process's fault.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
