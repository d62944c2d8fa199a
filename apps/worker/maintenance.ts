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

/** Runs at its times: cron with seconds, UTC. */
interface Actor {
  name: string;
  at: string;
  runOnce(ctx: StepContext): Promise<unknown>;
}

const RECONCILE: Actor = { name: 'reconcile', at: '*/5 * * * * *', runOnce: ctx => reconcileAll(ctx, PACE) };

/** Every actor finds its work by itself; a skipped run is made up by the next. */
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

/** How often it is looked whether Redis has been emptied: FLUSHALL cuts no connection, so nothing else tells of it. */
const NOTICE_AT = '*/1 * * * * *';

/** After Redis came back, a reconcile that failed is tried again after this time, in ms: the sales are shut until one succeeds. */
const REOPEN_MS = 1_000;

/**
 * Runs the actors: once now, on their times, and reconcile whenever Redis comes back or was emptied, as the sales stay shut
 * until then.
 *
 * @param ctx the worker's clients
 * @param rounds where the rounds are told of
 * @returns `stop()` ends the timers and waits for the rounds under way
 */
export function startMaintenance(ctx: WorkerContext, rounds: Rounds): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const start = (actor: Actor) => rounds.begin(actor.name, () => runActor(ctx, actor));
  const tasks = ACTORS.map(actor => cron.schedule(actor.at, () => start(actor), { timezone: 'UTC' }));
  for (const actor of ACTORS) void start(actor);
  const reopen = async () => {
    // A run that began with the Redis that went away proves nothing about the one that came back.
    await rounds.ended(RECONCILE.name);
    while (!stopped.signal.aborted && !(await start(RECONCILE))) {
      // A pause that the stop ends rejects, and the loop ends.
      await setTimeout(REOPEN_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const noticeLoss = async () => {
    if (!(await isRegistryWhole(ctx.redis))) await start(RECONCILE);
  };
  // Whether Redis can be reached at all is told by everything else.
  tasks.push(cron.schedule(NOTICE_AT, () => noticeLoss().catch(() => undefined), { timezone: 'UTC' }));
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
 * An actor that fails is told of and tried again at its next time; it never takes the process down.
 *
 * @returns whether it ran to its end, here and now
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
