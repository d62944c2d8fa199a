import { type ClaimView, groupBy, namesClaim } from './claim-view.js';
import type { Evidence } from './evidence.js';
import type { Operation } from './history.js';

/** The statuses of a buyer who waits for a unit. */
const WAITING = new Set(['joined', 'drawing', 'standby']);

/** Statuses that come from an order in Postgres, which no loss of Redis takes away. */
const PLACED = new Set(['pending_payment', 'paid', 'refunded']);

const buyerOf = ({ saleId, buyerId }: Pick<Operation, 'saleId' | 'buyerId'>): string => `${saleId} ${buyerId}`;

/**
 * Tells of a claim without an order whether Redis lost it before it was placed, and its buyer has something else. All of this must hold:
 *
 * - No answer showed the claim with a status that only an order has.
 * - Redis lost data after the claim was first seen, and before its buyer had something else. A claim after the last loss has no excuse.
 * - The buyer read that the claim is rejected, or got a later claim, which could not be given while the claim was live. A buyer who was
 *   promoted and waits again is enough, also in a draw: the promotion is lost. A buyer with an entry and without the receipt of the claim
 *   has no way to ask: a rebuild puts its buyer back into the line, and the rule `entry_is_kept` judges that.
 */
export function lostClaims(evidence: Evidence, views: readonly ClaimView[]): (view: ClaimView) => boolean {
  const { redisLostData, redisLosses = [{ fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }] } =
    evidence;
  if (!redisLostData) return () => false;
  const claims = groupBy(views, buyerOf);
  const calls = groupBy(evidence.operations, buyerOf);
  const draws = new Set(evidence.sales.filter(({ hasDraw }) => hasDraw === true).map(({ id }) => id));
  const entered = entrants(evidence);
  const proven = new Set(evidence.operations.flatMap(({ claimId, hasReceipt }) => (hasReceipt ? (claimId ?? []) : [])));
  return view => {
    const { claimId, sightings, saleId } = view;
    if (view.order || sightings.some(({ status }) => PLACED.has(status))) return false;
    const key = buyerOf(view);
    const fromMs = Math.min(...sightings.map(sighting => sighting.fromMs));
    const waitedAtMs = waits(calls.get(key) ?? []);
    const wasPromoted = waitedAtMs.some(atMs => atMs <= fromMs);
    const byMs = [
      ...sightings.filter(({ status }) => status === 'rejected').map(({ toMs }) => toMs),
      ...laterThan(view, claims.get(key) ?? []),
      ...(draws.has(saleId) || wasPromoted ? waitedAtMs.filter(atMs => atMs >= fromMs) : []),
      ...(draws.has(saleId) && entered.has(key) && !proven.has(claimId) ? [Number.POSITIVE_INFINITY] : []),
    ];
    if (byMs.length === 0) return false;
    const untilMs = Math.max(...byMs);
    return redisLosses.some(loss => loss.toMs >= fromMs && loss.fromMs <= untilMs);
  };
}

/** Returns the buyers of each sale who have an entry: they hold its receipt, or Postgres has it. */
function entrants({ operations, draws = [] }: Evidence): Set<string> {
  const stored = draws.flatMap(({ saleId, entries }) => entries.map(({ buyerId }) => buyerOf({ saleId, buyerId })));
  return new Set([...stored, ...operations.filter(({ entry }) => entry !== undefined).map(buyerOf)]);
}

/** Returns the first time at which a later claim is known, if there is one. An id begins with its time. */
function laterThan({ claimId }: ClaimView, claims: readonly ClaimView[]): number[] {
  const later = claims.filter(claim => claim.claimId > claimId);
  const knownAt = later.flatMap(({ sightings, order }) => [
    ...sightings.map(({ toMs }) => toMs),
    ...(order ? [order.placedAtMs] : []),
  ]);
  return knownAt.length > 0 ? [Math.min(...knownAt)] : [];
}

/** Returns the times of the answers that show a buyer waiting, and no claim. */
function waits(calls: readonly Operation[]): number[] {
  const waiting = calls.filter(({ outcome, status = '' }) => outcome === 'ok' && WAITING.has(status));
  return waiting.filter(call => !namesClaim(call)).map(({ endedAtMs }) => endedAtMs);
}
