import type { ReleaseRow } from '../postgres/deliveries/releases.js';
import { insertTombstones } from '../postgres/orders/end-orders.js';
import { claimsGivenUp } from '../process/telemetry.js';
import type { Claim } from '../rules/claim.js';
import type { StepContext } from './context.js';

/**
 * Gives up accepted claims: inserts a tombstone for each, and logs them for the operator.
 *
 * @returns the releases to carry out; none for a claim that has a row already
 * @throws Prisma's error: retry
 */
export async function giveUp(
  ctx: Pick<StepContext, 'db'>,
  { saleId, claims, why }: { saleId: string; claims: Claim[]; why: 'conflict' | 'lost' },
): Promise<ReleaseRow[]> {
  const releases = await insertTombstones(ctx.db, { saleId, claims, reason: 'lost' });
  const ids = new Set(releases.map(({ claimId }) => claimId));
  const given = claims.filter(({ claimId }) => ids.has(claimId));
  if (given.length > 0) claimsGivenUp(why, saleId, given);
  return releases;
}
