import { reasonAgainstDatabase } from '#core/postgres/fitness.js';
import { outboxAgeMs } from '#core/redis/claims/outbox.js';
import type { Redis } from '#core/redis/connection.js';
import { sinceCompared } from '#core/redis/registry.js';
import { ofBucket, readServerFacts } from '#core/redis/server/fitness.js';
import type { Fullness } from '#core/redis/server/memory.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import type { StepContext } from '#core/steps/context.js';

/**
 * The time-out of one readiness check of Redis or Postgres, in ms. Orchestrators request /readyz every few seconds and
 * give up soon.
 */
const PROBE_MS = SECOND_MS;

/**
 * The longest time without a finished reconcile, in ms. Reconcile compares the sales in Redis with Postgres. One worker
 * starts it every 5 s (maintenance.ts), so three rounds were missed. Without it, a sale that Redis loses gives out no
 * units.
 */
const MISSED_MS = 20 * SECOND_MS;

/**
 * The longest time that a claim, a unit won in Redis, may wait for its order in Postgres, in ms. After any single fault
 * it takes 15 s; after this time something is wrong.
 */
const WAITED_MS = 30 * SECOND_MS;

/** The stores that a probe asks, and how full each server of Redis was at the last measurement. */
interface Probed extends Pick<StepContext, 'redis' | 'db'> {
  fullness: readonly Pick<Fullness, 'note'>[];
}

/** Returns the reasons why /readyz answers that the workers are not ready; an empty list when they are ready. */
export async function reasonsAgainst({ redis, db, fullness }: Probed): Promise<string[]> {
  const reasons = await Promise.all([
    ...redis.shards.map((server, i) => reasonsAgainstServer(server, fullness[i]?.note)),
    probe(reasonAgainstDatabase(db), 'Postgres does not answer').then(reason => [reason]),
  ]);
  return [...new Set(reasons.flat())].filter(reason => reason !== undefined);
}

/** Of a cluster, each reason names the bucket of sales that the server has. */
async function reasonsAgainstServer(server: Redis, note: string | undefined): Promise<(string | undefined)[]> {
  const checks = [
    readServerFacts(server).then(({ isReplica }) => (isReplica ? 'Redis is a replica' : note)),
    sinceCompared(server).then(lateness),
    outboxAgeMs(server).then(unplaced),
  ];
  const reasons = await Promise.all(checks.map(check => probe(check, 'Redis does not answer')));
  return reasons.map(reason => reason && `${reason}${ofBucket(server)}`);
}

function lateness(sinceMs: number | undefined): string | undefined {
  if (sinceMs === undefined) return 'reconcile has never run to its end';
  const seconds = Math.round(sinceMs / SECOND_MS);
  return sinceMs > MISSED_MS ? `reconcile has not run to its end for ${seconds} s` : undefined;
}

function unplaced(ageMs: number): string | undefined {
  return ageMs > WAITED_MS ? `claims have waited ${Math.round(ageMs / SECOND_MS)} s for their order` : undefined;
}

/** Returns the reason that a check finds, or `otherwise` when Redis or Postgres doesn't answer in time. */
function probe(check: Promise<string | undefined>, otherwise: string): Promise<string | undefined> {
  return withDeadline(check, PROBE_MS, 'a probe').catch(() => otherwise);
}
