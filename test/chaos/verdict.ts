import { audit } from '#core/comparison/audit.js';
import type { Shards } from '#core/redis/shards.js';
import type { Connections } from '#stack/stores/connections.js';
import { checkHistory } from './history/check-history.js';
import { viewClaims } from './history/claim-view.js';
import type { Evidence } from './history/evidence.js';
import { auditRows, auditStores } from './rig/final-audit.js';
import type { Query } from './workload/query.js';

/** The evidence of a run, and the stores at rest. */
export interface VerdictSource {
  evidence: Evidence;
  /** The work that was still in flight when the wait for rest ended, in words. */
  inFlight: readonly string[];
  connections: Pick<Connections<Shards>, 'db' | 'redis'>;
  query: Query;
}

/**
 * Checks a run in three ways: the history by its rules, both stores by plain SQL, and each sale by the product's own audit.
 *
 * @returns the violations, one line each
 */
export async function checkRun({ evidence, inFlight, connections, query }: VerdictSource): Promise<string[]> {
  const violations = [
    ...inFlight.map(what => `rest: ${what}`),
    ...checkHistory(evidence).map(({ rule, text }) => `${rule}: ${text}`),
    ...(await auditRows(query)),
  ];
  for (const sale of evidence.sales) {
    violations.push(...(await auditStores(connections.redis.of(sale.id), query, sale)));
    const proof = await audit(connections.db, connections.redis, sale.id);
    violations.push(...(proof?.violations ?? ['no such sale']).map(what => `audit: ${sale.id}: ${what}`));
  }
  return violations;
}

/** Counts the claims that their buyers read as rejected because Redis had lost them. */
export function countLost({ operations }: Pick<Evidence, 'operations'>): number {
  const lost = operations.filter(({ reason }) => reason === 'lost');
  return new Set(lost.map(({ claimId }) => claimId)).size;
}

/** Summarises the claims of a run. */
export function countClaims(evidence: Evidence): { accepted: number; placingMs: number[] } {
  const views = viewClaims(evidence);
  const placing = views.flatMap(({ sightings, order }) =>
    order && sightings.length > 0 ? [order.placedAtMs - Math.min(...sightings.map(({ toMs }) => toMs))] : [],
  );
  return {
    accepted: views.filter(({ sightings }) => sightings.length > 0).length,
    placingMs: placing.map(ms => Math.max(0, ms)),
  };
}
