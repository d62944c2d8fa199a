import { setTimeout } from 'node:timers/promises';
import cron from 'node-cron';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { expireOverdue } from '#core/maintenance/expire-overdue.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { Pace } from '#core/maintenance/pace.js';
import { prune } from '#core/maintenance/prune.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { rescueAll } from '#core/maintenance/rescue.js';
import { tellShop } from '#core/maintenance/tell-shop.js';
import { actorFailed, actorRan } from '#core/process/telemetry.js';
import { isRegistryWhole } from '#core/redis/registry.js';
import type { StepContext } from '#core/steps/context.js';
import type { WorkerContext } from './context.js';
import type { Rounds } from './rounds.js';

const PACE = new Pace();

/** A maintenance actor and its schedule: cron with seconds, in UTC. */
interface Actor {
  name: string;
  at: string;
  runOnce(ctx: StepContext): Promise<unknown>;
}

const RECONCILE: Actor = { name: 'reconcile', at: '*/5 * * * * *', runOnce: ctx => reconcileAll(ctx, PACE) };

/** Every actor. Each finds its work in the stores, so the next round does what a skipped round would have done. */
const ACTORS: Actor[] = [
  RECONCILE,
  { name: 'rescue', at: '*/2 * * * * *', runOnce: rescueAll },
  { name: 'expire-overdue', at: '*/2 * * * * *', runOnce: expireOverdue },
  { name: 'deliver-events', at: '*/1 * * * * *', runOnce: deliverEvents },
  { name: 'ask-providers', at: '*/1 * * * * *', runOnce: askProviders },
  { name: 'finish-payments', at: '*/2 * * * * *', runOnce: finishPayments },
  { name: 'tell-shop', at: '*/1 * * * * *', runOnce: tellShop },
  { name: 'prune', at: '0 17 * * * *', runOnce: prune },
];

/** How often the worker checks whether Redis was emptied. FLUSHALL cuts no connection, so nothing else would tell. */
const CHECK_AT = '*/1 * * * * *';

/** The pause before a failed reconcile is retried once Redis is back, in ms. No sale gives out units until one succeeds. */
const REOPEN_MS = 1_000;

/**
 * Starts the maintenance actors: a round of each now, then on their schedules. Reconcile also runs whenever Redis comes back
 * or was emptied, as no sale gives out units until then.
 *
 * @param rounds keeps the rounds in flight
 * @returns `stop()` ends the timers and waits for the rounds in flight
 */
export function startMaintenance(ctx: WorkerContext, rounds: Rounds): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const start = (actor: Actor) => rounds.begin(actor.name, () => runActor(ctx, actor));
  const tasks = ACTORS.map(actor => cron.schedule(actor.at, () => start(actor), { timezone: 'UTC' }));
  for (const actor of ACTORS) void start(actor);
  const reopen = async () => {
    // A round that began before the connection was lost proves nothing about the Redis that came back.
    await rounds.ended(RECONCILE.name);
    while (!stopped.signal.aborted && !(await start(RECONCILE))) {
      // A pause that the stop ends rejects, and the loop ends.
      await setTimeout(REOPEN_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const checkRegistry = async () => {
    if (!(await isRegistryWhole(ctx.redis))) await start(RECONCILE);
  };
  // A Redis that can't be reached is reported by every other call.
  tasks.push(cron.schedule(CHECK_AT, () => checkRegistry().catch(() => undefined), { timezone: 'UTC' }));
  const onReady = () => void reopen();
  ctx.redis.on('ready', onReady);
  return {
    stop: async () => {
      stopped.abort();
      ctx.redis.off('ready', onReady);
      for (const task of tasks) await task.destroy();
      await rounds.allEnded();
    },
  };
}

/**
 * Runs one round of an actor. A failure is reported, and the next round is the retry.
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
