import type { ReleaseRow } from '../postgres/deliveries/releases.js';
import { insertTombstones } from '../postgres/orders/end-orders.js';
import { claimsGivenUp } from '../process/telemetry.js';
import type { Claim } from '../rules/claim.js';
import type { StepContext } from './context.js';

/**
 * Gives accepted claims up for lost: a tombstone for each, and a line for the operator that names them.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @param claims at most 1,000
 * @param why `conflict` with live orders, or `lost` by Redis
 * @returns the releases to carry out; none for a claim that has an order, or was given up before
 * @throws what Prisma throws: then do it again
 */
export async function giveUp(
  ctx: Pick<StepContext, 'db'>,
  saleId: string,
  claims: Claim[],
  why: 'conflict' | 'lost',
): Promise<ReleaseRow[]> {
  const releases = await insertTombstones(ctx.db, saleId, claims, 'lost');
  const ids = new Set(releases.map(({ claimId }) => claimId));
  const given = claims.filter(({ claimId }) => ids.has(claimId));
  if (given.length > 0) claimsGivenUp(why, saleId, given);
  return releases;
}
