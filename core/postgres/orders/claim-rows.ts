import type { Claim } from '../../rules/claim.js';
import { Prisma } from '../database.js';

/** Builds SQL to follow FROM: rows `c (id, buyer_id, unit)` of at most 1,000 claims. */
export function claimRows(claims: Claim[]): Prisma.Sql {
  const ids = claims.map(claim => claim.claimId);
  const buyers = claims.map(claim => claim.buyerId);
  const units = claims.map(claim => claim.unit);
  return Prisma.sql`unnest(${ids}::uuid[], ${buyers}::text[], ${units}::int[]) AS c (id, buyer_id, unit)`;
}
