import { type ClaimView, groupBy, isEnded, namesClaim } from '../claim-view.js';
import { CLOCK_TOLERANCE_MS, type Evidence, type Violation } from '../evidence.js';
import { lostClaims } from '../lost-claims.js';

const RANK: Record<string, number> = { queued: 0, pending_payment: 1, paid: 2, cancelled: 3, rejected: 3, refunded: 3 };

/**
 * Checks each claim, and all claims of a buyer and of a unit.
 *
 * @param views the claims of the evidence
 * @returns claims that have two meanings or two ends, move back, never end, or overlap with another claim
 */
export function checkClaims(evidence: Evidence, views: readonly ClaimView[]): Violation[] {
  const isLost = lostClaims(evidence, views);
  return [
    ...ambiguous(evidence),
    ...views.filter(view => !isLost(view)).flatMap(notEnded),
    ...views.flatMap(backwards),
    ...views.flatMap(twoEnds),
    ...views.flatMap(unpaidAgain),
    ...views.flatMap(view => lost(evidence, view)),
    ...overlapping(views, 'one_claim_per_buyer', view => `${view.saleId} ${view.buyerId}`),
    ...overlapping(views, 'one_claim_per_unit', view => `${view.saleId} unit ${view.unit}`),
  ];
}

function ambiguous({ operations, orders }: Evidence): Violation[] {
  const all = [...operations.filter(namesClaim), ...orders];
  return [...groupBy(all, item => item.claimId)].flatMap(([claimId, items]) => {
    const meanings = new Set(items.map(({ saleId, buyerId, unit }) => `${saleId} ${buyerId} unit ${unit}`));
    if (meanings.size === 1) return [];
    return [{ rule: 'claim_is_one_thing' as const, text: `claim ${claimId} is ${[...meanings].join(' and ')}` }];
  });
}

/** Reports a claim that never ended. */
function notEnded({ claimId, buyerId, saleId, order, sightings }: ClaimView): Violation[] {
  const rule = 'accepted_reaches_its_end' as const;
  if (!order) return [{ rule, text: `claim ${claimId} of ${buyerId} in ${saleId} was accepted and has no order` }];
  if (order.status === 'paid' || isEnded(order.status)) return [];
  return [
    { rule, text: `claim ${claimId} of ${buyerId} in ${saleId} is still ${order.status} (${sightings.length} seen)` },
  ];
}

function backwards({ claimId, buyerId, sightings }: ClaimView): Violation[] {
  const byEnd = [...sightings].sort((a, b) => a.toMs - b.toMs);
  const violations: Violation[] = [];
  for (const later of sightings) {
    const earlier = highestBefore(byEnd, later.fromMs);
    if (!earlier || rankOf(earlier.status) <= rankOf(later.status)) continue;
    const text = `claim ${claimId} of ${buyerId} was ${earlier.status}, and ${later.status} after that`;
    violations.push({ rule: 'statuses_move_forward', text });
  }
  return violations.slice(0, 1);
}

function highestBefore(byEnd: ClaimView['sightings'], beforeMs: number): ClaimView['sightings'][number] | undefined {
  let highest: ClaimView['sightings'][number] | undefined;
  for (const sighting of byEnd) {
    if (sighting.toMs >= beforeMs) break;
    if (!highest || rankOf(sighting.status) > rankOf(highest.status)) highest = sighting;
  }
  return highest;
}

const rankOf = (status: string): number => RANK[status] ?? -1;

/** Returns the status that buyers see: a tombstone reads as a rejection. */
const shown = (status: string): string => (status === 'void' ? 'rejected' : status);

function twoEnds({ claimId, buyerId, sightings, order }: ClaimView): Violation[] {
  const told = new Set(sightings.map(({ status }) => status).filter(isEnded));
  if (order && told.size > 0) told.add(shown(order.status));
  if (told.size < 2) return [];
  return [{ rule: 'one_end', text: `claim ${claimId} of ${buyerId} ended as ${[...told].join(' and as ')}` }];
}

function unpaidAgain({ claimId, buyerId, sightings, order }: ClaimView): Violation[] {
  const toldPaid = sightings.some(({ status }) => status === 'paid');
  if (!toldPaid || order?.status === 'paid' || order?.status === 'refunded') return [];
  const text = `claim ${claimId} of ${buyerId} was told to be paid and is ${order?.status ?? 'gone'}`;
  return [{ rule: 'paid_stays_paid', text }];
}

/**
 * Reports a claim that was given up although Redis lost nothing. A claim that late money made, and that no answer names, was
 * promised to nobody. Two workers may decide about the same money at once: one returns it, and the other gives the claim up.
 */
function lost({ redisLostData }: Evidence, { claimId, buyerId, order, sightings }: ClaimView): Violation[] {
  const givenUp = order?.reason === 'lost' || order?.reason === 'not_placed';
  const wasPromised = !order?.regrabbed || sightings.length > 0;
  if (redisLostData || !givenUp || !wasPromised) return [];
  return [
    { rule: 'nothing_lost', text: `claim ${claimId} of ${buyerId} was given up: ${order?.status}(${order?.reason})` },
  ];
}

function overlapping(
  views: readonly ClaimView[],
  rule: 'one_claim_per_buyer' | 'one_claim_per_unit',
  keyOf: (view: ClaimView) => string,
): Violation[] {
  const certain = views.filter(view => view.liveFromMs < view.liveToMs);
  return [...groupBy(certain, keyOf)].flatMap(([key, claims]) => {
    const inOrder = claims.sort((a, b) => a.liveFromMs - b.liveFromMs);
    return inOrder.flatMap((claim, i) => {
      const next = inOrder[i + 1];
      if (!next || next.liveFromMs >= claim.liveToMs - CLOCK_TOLERANCE_MS) return [];
      return [{ rule, text: `${key}: claims ${claim.claimId} and ${next.claimId} are live at the same time` }];
    });
  });
}
