import { type ClaimView, groupBy, type OrderFacts, type SaleFacts } from '../claim-view.js';
import { CLOCK_TOLERANCE_MS, type Evidence, type Violation } from '../evidence.js';
import type { Operation } from '../history.js';

/** The ends for which a buyer pays with a strike. */
export const STRIKES = new Set(['unpaid', 'cancelled_by_buyer', 'insufficient_funds']);

/** The ends that were a strike at some time: late money takes one back. */
const WERE_STRIKES = new Set([...STRIKES, 'refunded_late_payment']);

/**
 * Checks the rules about holding units without paying, and about passes.
 *
 * @param views the claims of the evidence
 * @returns buyers who got a unit after their last chance or without a pass, buyers who were refused for strikes that they did not have, and
 *   groups with more units than they may have
 */
export function checkHolding({ sales, orders, operations }: Evidence, views: readonly ClaimView[]): Violation[] {
  const bySale = groupBy(orders, ({ saleId }) => saleId);
  const clicks = groupBy(
    operations.filter(({ call }) => call === 'buy'),
    ({ saleId }) => saleId,
  );
  const viewsOf = groupBy(views, ({ saleId }) => saleId);
  return sales.flatMap(sale => [
    ...oneTooMany(sale, bySale.get(sale.id) ?? []),
    ...unearned(sale, bySale.get(sale.id) ?? [], clicks.get(sale.id) ?? []),
    ...withoutPass(sale, clicks.get(sale.id) ?? []),
    ...crowded(sale, viewsOf.get(sale.id) ?? []),
  ]);
}

/**
 * Reports an order after the last chance of its buyer. Redis counts an end as it takes the claim away, so no moment is between them in which
 * a buyer could claim. Money that came late buys a unit again all the same.
 */
function oneTooMany({ id, unpaidLimit = 0 }: SaleFacts, orders: readonly OrderFacts[]): Violation[] {
  if (unpaidLimit === 0) return [];
  const ofBuyers = groupBy(orders, ({ buyerId }) => buyerId);
  return [...ofBuyers].flatMap(([buyerId, own]) => {
    const strikes = own.filter(
      ({ reason, status }) => status !== 'void' && STRIKES.has(reason ?? '') && status !== 'paid',
    );
    return own.flatMap(({ claimId, regrabbed, placedAtMs }) => {
      const before = strikes.filter(({ endedAtMs }) => endedAtMs !== null && endedAtMs < placedAtMs);
      if (regrabbed || before.length < unpaidLimit) return [];
      const text = `${buyerId} got claim ${claimId} in ${id} after ${before.length} ends without payment`;
      return [{ rule: 'no_third_try' as const, text }];
    });
  });
}

/** Reports a refusal for strikes that its buyer did not have. An end is counted after Postgres has it. */
function unearned(
  { id, unpaidLimit = 0, perGroup = 0 }: SaleFacts,
  orders: readonly OrderFacts[],
  clicks: readonly Operation[],
): Violation[] {
  const needed = new Map([
    ['unpaid_limit', { own: Math.max(1, unpaidLimit), together: Math.max(1, unpaidLimit * perGroup) }],
    ['others_first', { own: 1, together: 1 }],
  ]);
  return clicks.flatMap(({ buyerId, group, outcome, code = '', endedAtMs }) => {
    const least = outcome === 'fail' ? needed.get(code) : undefined;
    if (!least) return [];
    const strikes = orders.filter(
      order => WERE_STRIKES.has(order.reason ?? '') && (order.endedAtMs ?? 0) <= endedAtMs + CLOCK_TOLERANCE_MS,
    );
    const had = strikes.filter(order => order.buyerId === buyerId).length;
    const together = strikes.filter(order => group !== undefined && order.group === group).length;
    if (had >= least.own || together >= least.together) return [];
    const text = `${buyerId} was told ${code} in ${id} after ${had} ends without payment, ${together} of the group`;
    return [{ rule: 'no_unearned_limit' as const, text }];
  });
}

/** Reports a click that was accepted without a pass in a sale that needs one. */
function withoutPass({ id, needsPass = false }: SaleFacts, clicks: readonly Operation[]): Violation[] {
  const accepted = clicks.filter(({ outcome, hasPass = false }) => needsPass && outcome === 'ok' && !hasPass);
  return accepted.map(({ buyerId, status }) => ({
    rule: 'pass_is_needed' as const,
    text: `${buyerId} got ${status} in ${id} without a pass`,
  }));
}

/** Reports a group with more live claims at one time than it may have. */
function crowded({ id, perGroup = 0 }: SaleFacts, views: readonly ClaimView[]): Violation[] {
  if (perGroup === 0) return [];
  const certain = views.filter(
    ({ order, liveFromMs, liveToMs }) => order?.group !== undefined && liveFromMs < liveToMs,
  );
  return [...groupBy(certain, ({ order }) => order?.group ?? '')].flatMap(([group, claims]) => {
    const most = Math.max(...claims.map(({ liveFromMs }) => liveAt(claims, liveFromMs + CLOCK_TOLERANCE_MS)));
    if (most <= perGroup) return [];
    return [{ rule: 'group_is_bounded' as const, text: `the group ${group} had ${most} units in ${id} at one time` }];
  });
}

const liveAt = (claims: readonly ClaimView[], atMs: number): number =>
  claims.filter(({ liveFromMs, liveToMs }) => liveFromMs <= atMs && liveToMs > atMs).length;
