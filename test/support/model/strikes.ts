import { type ClaimRecord, isLive } from '#core/rules/claim.js';

// Strikes in the model: ends without payment, which stay with the claims of their buyer. And groups of buyers: what one has follows from
// the claims.

/** Returns the number of strikes of a claim. */
export const strikesIn = (claim: ClaimRecord | undefined): number => claim?.strikes ?? 0;

/** Returns a claim with another number of strikes. */
export function withStrikes({ strikes: _, ...claim }: ClaimRecord, strikes: number): ClaimRecord {
  return strikes > 0 ? { ...claim, strikes } : claim;
}

/** Returns a claim that has ended with another reason. An end whose money came, and went back, is no strike. */
export function withReason(claim: ClaimRecord, reason: string): ClaimRecord {
  const isTakenBack = claim.reason === 'unpaid' && reason !== 'unpaid';
  return withStrikes({ ...claim, reason }, strikesIn(claim) - (isTakenBack ? 1 : 0));
}

/** Returns the group in a buyer's token, as every third buyer has none. */
export function groupOf(buyerId: string): string | undefined {
  const which = Number(buyerId.slice(-1)) % 3;
  return which === 0 ? undefined : `group${which}`;
}

type Claims = ReadonlyMap<string, ClaimRecord>;

/** Returns the live claims of a group. */
export const unitsOf = (claims: Claims, group: string): number =>
  [...claims.values()].filter(claim => claim.group === group && isLive(claim.status)).length;

/** Returns the strikes of a group. */
export const strikesOf = (claims: Claims, group: string): number =>
  [...claims.values()].filter(claim => claim.group === group).reduce((sum, claim) => sum + strikesIn(claim), 0);
