import { setTimeout } from 'node:timers/promises';
import cron from 'node-cron';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { expireOverdue } from '#core/maintenance/expire-overdue.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { askBeacon } from '#core/maintenance/line/ask-beacon.js';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import { Pace } from '#core/maintenance/pace.js';
import { prune } from '#core/maintenance/prune.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { rescueAll } from '#core/maintenance/rescue.js';
import { tellShop } from '#core/maintenance/tell-shop.js';
import { checkBooks } from '#core/postgres/books/check.js';
import { actorFailed, actorRan } from '#core/process/telemetry.js';
import type { Redis } from '#core/redis/connection.js';
import { isRegistryWhole } from '#core/redis/registry.js';
import type { StepContext } from '#core/steps/context.js';
import { keepAllEntries } from '#core/steps/line/keep-entries.js';
import type { WorkerContext } from './context.js';
import type { Rounds } from './rounds.js';

const PACE = new Pace();

/**
 * A maintenance actor: a task that a worker runs in rounds. `at` is its schedule, a cron expression with seconds, in
 * UTC.
 */
interface Actor {
  name: string;
  at: string;
  runOnce(ctx: StepContext): Promise<unknown>;
}

const RECONCILE: Actor = { name: 'reconcile', at: '*/5 * * * * *', runOnce: ctx => reconcileAll(ctx, PACE) };

/**
 * Every maintenance actor. Each finds its work in Redis and Postgres, so the next round does the work of a skipped
 * round.
 */
export const ACTORS: readonly Actor[] = [
  RECONCILE,
  { name: 'rescue', at: '*/2 * * * * *', runOnce: rescueAll },
  { name: 'expire-overdue', at: '*/2 * * * * *', runOnce: expireOverdue },
  { name: 'deliver-events', at: '*/1 * * * * *', runOnce: deliverEvents },
  { name: 'keep-entries', at: '*/1 * * * * *', runOnce: keepAllEntries },
  { name: 'draw-lots', at: '*/1 * * * * *', runOnce: drawAllLots },
  { name: 'ask-beacon', at: '*/1 * * * * *', runOnce: askBeacon },
  { name: 'ask-providers', at: '*/1 * * * * *', runOnce: askProviders },
  { name: 'finish-payments', at: '*/2 * * * * *', runOnce: finishPayments },
  { name: 'tell-shop', at: '*/1 * * * * *', runOnce: tellShop },
  { name: 'check-books', at: '*/10 * * * * *', runOnce: ({ db }) => checkBooks(db) },
  { name: 'prune', at: '0 17 * * * *', runOnce: prune },
];

/**
 * How often the worker checks whether Redis was emptied, as a cron expression with seconds. FLUSHALL cuts no
 * connection, so only this check notices it quickly.
 */
const CHECK_AT = '*/1 * * * * *';

/**
 * The pause before another attempt to reconcile once Redis is back, in ms. No sale gives out units until it was
 * compared with Postgres.
 */
const REOPEN_MS = 1_000;

/**
 * Starts the maintenance actors, which are tasks in rounds: one round of each now, then on their schedules. The actor
 * reconcile compares the sales in Redis with Postgres. It also runs whenever Redis comes back or was emptied, as no
 * sale gives out units until then.
 *
 * @param rounds keeps an actor from running twice at once in this process
 * @returns `stop()` ends the timers and waits for the rounds in flight
 */
export function startMaintenance(ctx: WorkerContext, rounds: Rounds): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const start = (actor: Actor) => rounds.begin(actor.name, () => runActor(ctx, actor));
  const tasks = ACTORS.map(actor => cron.schedule(actor.at, () => start(actor), { timezone: 'UTC' }));
  for (const actor of ACTORS) void start(actor);
  const reopen = async (server: Redis) => {
    PACE.hurry(saleId => ctx.redis.of(saleId) === server);
    // A round of reconcile that began before the connection was lost proves nothing about the Redis that came back. So
    // the next one waits for its end.
    await rounds.ended(RECONCILE.name);
    while (!stopped.signal.aborted && !(await start(RECONCILE))) {
      // A shutdown aborts the pause, which then rejects, and the condition of the loop ends the retries.
      await setTimeout(REOPEN_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const checkRegistries = async () => {
    const checks = await Promise.allSettled(ctx.redis.shards.map(isRegistryWhole));
    // A failed check is ignored: every other call reports a Redis that can't be reached.
    if (checks.some(check => check.status === 'fulfilled' && !check.value)) await start(RECONCILE);
  };
  tasks.push(cron.schedule(CHECK_AT, () => void checkRegistries(), { timezone: 'UTC' }));
  const unwatch = ctx.redis.shards.map(server => {
    const onReady = () => void reopen(server);
    server.on('ready', onReady);
    return () => server.off('ready', onReady);
  });
  return {
    stop: async () => {
      stopped.abort();
      for (const off of unwatch) off();
      for (const task of tasks) await task.destroy();
      await rounds.allEnded();
    },
  };
}

/**
 * Runs one round of a maintenance actor, unless another process holds the actor's lock. A failure is reported, and the
 * next round is the retry.
 *
 * @returns whether this process ran the round to its end
 */
async function runActor(ctx: WorkerContext, actor: Actor): Promise<boolean> {
  const startedAt = performance.now();
  try {
    const ran = await ctx.lock.hold(actor.name, async () => {
      await actor.runOnce(ctx);
    });
    if (ran) actorRan(actor.name, (performance.now() - startedAt) / 1_000);
    return ran;
  } catch (error) {
    actorFailed(actor.name, error);
    return false;
  }
}
