import { type Claim, ID_PATTERN } from '../../rules/claim.js';
import { Prisma } from '../database.js';
import { UnfitValue } from '../failure.js';

/**
 * Builds SQL to follow FROM: rows `c (id, buyer_id, unit)` of at most 1,000 claims. They are sent as three texts, which
 * Postgres cuts at the spaces. Three arrays, of which Prisma and pg write out each element, made placing 1.3 times as
 * slow (bench/README.md).
 *
 * @throws UnfitValue for a buyer's id with a space, which would move the ids behind it to other claims, or with another
 * character that no id has
 */
export function claimRows(claims: Claim[]): Prisma.Sql {
  const unfit = claims.find(({ buyerId }) => !ID_PATTERN.test(buyerId));
  if (unfit) throw new UnfitValue(`the claim ${unfit.claimId} has a buyer whose id has no valid form`);
  const ids = claims.map(claim => claim.claimId).join(' ');
  const buyers = claims.map(claim => claim.buyerId).join(' ');
  const units = claims.map(claim => claim.unit).join(' ');
  return Prisma.sql`unnest(string_to_array(${ids}, ' ')::uuid[], string_to_array(${buyers}, ' '),
    string_to_array(${units}, ' ')::int[]) AS c (id, buyer_id, unit)`;
}
