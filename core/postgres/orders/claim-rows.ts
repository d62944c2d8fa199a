import { type Claim, ID_PATTERN } from '../../rules/claim.js';
import { Prisma } from '../database.js';
import { UnfitValue } from '../failure.js';

/**
 * Builds SQL to follow FROM: rows `c (id, buyer_id, unit, buyer_group)` of at most 1,000 claims. They are sent as texts, which
 * Postgres cuts at the spaces. Arrays, of which Prisma and pg write out each element, made placing 1.3 times as
 * slow (bench/README.md).
 *
 * @throws UnfitValue for a buyer's id with a space, which would move the ids behind it to other claims, or with another
 * character that no id has
 */
export function claimRows(claims: Claim[]): Prisma.Sql {
  const unfit = claims.find(({ buyerId, group = buyerId }) => !ID_PATTERN.test(buyerId) || !ID_PATTERN.test(group));
  if (unfit) throw new UnfitValue(`the claim ${unfit.claimId} has a buyer or a group whose id has no valid form`);
  const ids = claims.map(claim => claim.claimId).join(' ');
  const buyers = claims.map(claim => claim.buyerId).join(' ');
  const units = claims.map(claim => claim.unit).join(' ');
  const columns = Prisma.sql`string_to_array(${ids}, ' ')::uuid[], string_to_array(${buyers}, ' '),
    string_to_array(${units}, ' ')::int[]`;
  // Most sales have no groups, and a fourth text would cost each of their orders something.
  if (claims.every(({ group }) => group === undefined))
    return Prisma.sql`(SELECT *, NULL::text FROM unnest(${columns})) AS c (id, buyer_id, unit, buyer_group)`;
  const groups = claims.map(({ group = '-' }) => group).join(' ');
  return Prisma.sql`unnest(${columns}, string_to_array(${groups}, ' ', '-')) AS c (id, buyer_id, unit, buyer_group)`;
}
