import { isMigrated } from '#core/postgres/migrate/migrated.js';
import { outboxAgeMs } from '#core/redis/claims/outbox.js';
import { sinceCompared } from '#core/redis/registry.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import type { StepContext } from '#core/steps/context.js';

/** Probes ask every few seconds, and give up soon. */
const PROBE_MS = SECOND_MS;

/**
 * Reconcile begins every 5 s (maintenance.ts), in one worker of all: without an end for this time, in ms, three runs were missed.
 * Then nothing is proven any more, and what Redis loses stays shut.
 */
const MISSED_MS = 20 * SECOND_MS;

/** A claim has its order within 15 s of any one fault; one that waits for longer than this, in ms, can't be placed. */
const WAITED_MS = 30 * SECOND_MS;

/**
 * @param ctx the stores
 * @returns what speaks against counting on the workers; nothing, when all is well
 */
export async function reasonsAgainst({ redis, db }: Pick<StepContext, 'redis' | 'db'>): Promise<string[]> {
  const [late, waiting, migrated] = await Promise.all([
    probe(sinceCompared(redis).then(lateness), 'Redis does not answer'),
    probe(outboxAgeMs(redis).then(unplaced), 'Redis does not answer'),
    probe(
      isMigrated(db).then(yes => (yes ? undefined : 'the database has no tables yet')),
      'Postgres does not answer',
    ),
  ]);
  return [...new Set([late, waiting, migrated])].filter(reason => reason !== undefined);
}

function lateness(sinceMs: number | undefined): string | undefined {
  if (sinceMs === undefined) return 'reconcile has never run to its end';
  const seconds = Math.round(sinceMs / SECOND_MS);
  return sinceMs > MISSED_MS ? `reconcile has not run to its end for ${seconds} s` : undefined;
}

function unplaced(ageMs: number): string | undefined {
  return ageMs > WAITED_MS ? `claims have waited ${Math.round(ageMs / SECOND_MS)} s for their order` : undefined;
}

function probe(looking: Promise<string | undefined>, otherwise: string): Promise<string | undefined> {
  return withDeadline(looking, PROBE_MS, 'a probe').catch(() => otherwise);
}
