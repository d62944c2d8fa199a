import type { ClaimRecord } from '#core/rules/claim.js';

// Strikes in the model: ends without payment, which stay with the claims of their buyer.

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
