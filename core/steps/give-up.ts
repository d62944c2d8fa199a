import type { ReleaseRow } from '../postgres/deliveries/releases.js';
import { insertTombstones } from '../postgres/orders/end-orders.js';
import { claimsGivenUp } from '../process/telemetry.js';
import type { Claim } from '../rules/claim.js';
import type { StepContext } from './context.js';

/**
 * Gives up accepted claims, and logs them for the operator. Each claim gets a tombstone, a row that keeps it from ever
 * becoming an order.
 *
 * @returns the releases to carry out in Redis; none for a claim that already has an order or a tombstone
 * @throws Prisma's error: the caller retries
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
