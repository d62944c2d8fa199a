import { isMigrated } from '#core/postgres/migrate/migrated.js';
import { outboxAgeMs } from '#core/redis/claims/outbox.js';
import { sinceCompared } from '#core/redis/registry.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import type { StepContext } from '#core/steps/context.js';

/** The time-out of one check, in ms. Probes come every few seconds and give up soon. */
const PROBE_MS = SECOND_MS;

/**
 * The longest time without a finished reconcile, in ms. One worker starts it every 5 s (maintenance.ts), so three rounds were
 * missed. Then the stores are no longer compared, and a sale that Redis loses gives out no units.
 */
const MISSED_MS = 20 * SECOND_MS;

/** The longest wait of a claim for its order, in ms. After any single fault it takes 15 s; after this time something is wrong. */
const WAITED_MS = 30 * SECOND_MS;

/** Returns the reasons why the workers are not ready; none when they are. */
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

/** Returns the reason that a check finds, or `otherwise` when the store doesn't answer. */
function probe(check: Promise<string | undefined>, otherwise: string): Promise<string | undefined> {
  return withDeadline(check, PROBE_MS, 'a probe').catch(() => otherwise);
}
