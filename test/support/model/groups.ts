import { type ClaimRecord, isLive } from '#core/rules/claim.js';
import { strikesIn } from './strikes.js';
import type { Terms } from './terms.js';

// Groups in the model. The units and strikes of a group follow from the claims.

/** Returns the group in a buyer's token, as every third buyer has none. */
export function groupOf(buyerId: string): string | undefined {
  const which = Number(buyerId.slice(-1)) % 3;
  return which === 0 ? undefined : `group${which}`;
}

type Claims = ReadonlyMap<string, ClaimRecord>;

const unitsOf = (claims: Claims, group: string): number =>
  [...claims.values()].filter(claim => claim.group === group && isLive(claim.status)).length;

const strikesOf = (claims: Claims, group: string): number =>
  [...claims.values()].filter(claim => claim.group === group).reduce((sum, claim) => sum + strikesIn(claim), 0);

/** Tells whether a group has all of its units. */
export const isFull = (claims: Claims, { perGroup }: Terms, group: string | undefined): boolean =>
  group !== undefined && unitsOf(claims, group) >= perGroup;

/** Returns the strikes that count at a click: one of the group is one of each member, and so are as many as all its units may have. */
export function strikesAt(claims: Claims, { unpaidLimit, perGroup }: Terms, buyerId: string): number {
  const own = strikesIn(claims.get(buyerId));
  const group = perGroup > 0 ? groupOf(buyerId) : undefined;
  if (unpaidLimit === 0 || group === undefined) return own;
  const all = strikesOf(claims, group);
  if (all >= unpaidLimit * perGroup) return Math.max(own, unpaidLimit);
  return Math.max(own, Math.min(all, 1, unpaidLimit - 1));
}
