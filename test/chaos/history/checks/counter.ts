import { type ClaimView, groupBy, type OrderFacts, type SaleFacts } from '../claim-view.js';
import { CLOCK_TOLERANCE_MS, type Evidence, type Violation } from '../evidence.js';
import type { Operation } from '../history.js';

/** A number over time: `value[i]` from `atMs[i]` on. */
interface Steps {
  atMs: number[];
  value: number[];
}

interface Interval {
  fromMs: number;
  toMs: number;
}

/** The part of the evidence that is about one sale. */
type OfSale = Pick<Evidence, 'operations' | 'orders' | 'releaseWithinMs'>;

/**
 * Checks each sale as a bounded counter: it never exceeds its units, and it is at its bound whenever the answer is "sold out".
 *
 * @param views the claims of the evidence
 * @returns times with more claimed units than exist, and answers "sold out" while a unit was certainly free
 */
export function checkCounter(evidence: Evidence, views: readonly ClaimView[]): Violation[] {
  const claims = groupBy(views, view => view.saleId);
  const orders = groupBy(evidence.orders, order => order.saleId);
  const operations = groupBy(evidence.operations, operation => operation.saleId);
  return evidence.sales.flatMap(sale => [
    ...units(sale, claims.get(sale.id) ?? []),
    ...exceeded(sale, claims.get(sale.id) ?? []),
    ...falselySoldOut(sale, {
      operations: operations.get(sale.id) ?? [],
      orders: orders.get(sale.id) ?? [],
      releaseWithinMs: evidence.releaseWithinMs,
    }),
  ]);
}

function units(sale: SaleFacts, views: readonly ClaimView[]): Violation[] {
  const outside = views.filter(({ unit }) => !Number.isInteger(unit) || unit < 1 || unit > sale.units);
  return outside.map(({ claimId, unit }) => ({
    rule: 'unit_exists',
    text: `claim ${claimId} has unit ${unit} of ${sale.units} in ${sale.id}`,
  }));
}

function exceeded(sale: SaleFacts, views: readonly ClaimView[]): Violation[] {
  const live = views.map(view => ({ fromMs: view.liveFromMs + CLOCK_TOLERANCE_MS, toMs: view.liveToMs }));
  const steps = countAt(live.filter(({ fromMs, toMs }) => fromMs < toMs));
  const worst = Math.max(0, ...steps.value);
  if (worst <= sale.units) return [];
  const atMs = steps.atMs[steps.value.indexOf(worst)];
  const when = new Date(atMs ?? 0).toISOString();
  return [{ rule: 'bounded_counter', text: `${worst} of ${sale.units} units of ${sale.id} were claimed at ${when}` }];
}

/** Checks sales without a standby only: with one, a free unit may be promised to a buyer on standby. */
function falselySoldOut(sale: SaleFacts, ofSale: OfSale): Violation[] {
  if (sale.standby) return [];
  const { operations } = ofSale;
  const held = countAt(possiblyHeld(ofSale));
  const refused = operations.filter(
    ({ call, outcome, code }) => call === 'buy' && outcome === 'fail' && code === 'sold_out',
  );
  return refused.flatMap(({ buyerId, invokedAtMs, endedAtMs }) => {
    const most = highestWithin(held, invokedAtMs - CLOCK_TOLERANCE_MS, endedAtMs + CLOCK_TOLERANCE_MS);
    if (most >= sale.units) return [];
    const when = new Date(invokedAtMs).toISOString();
    const text = `${buyerId} was told sold out at ${when}, when at most ${most} of ${sale.units} units of ${sale.id} were out`;
    return [{ rule: 'no_false_sold_out' as const, text }];
  });
}

/** Returns the times at which each unit may have been held: from the click that may have won it to its late release. */
function possiblyHeld({ operations, orders, releaseWithinMs }: OfSale): Interval[] {
  const clicks = groupBy(
    operations.filter(({ call, outcome }) => call === 'buy' && outcome !== 'fail'),
    operation => operation.buyerId,
  );
  const ofBuyer = groupBy(orders, order => order.buyerId);
  return [...groupBy(orders, order => String(order.unit)).values()].flatMap(ofUnit =>
    union(
      ofUnit.map(order => ({
        fromMs: earliestClick(clicks.get(order.buyerId) ?? [], ofBuyer.get(order.buyerId) ?? [], order),
        toMs: order.endedAtMs === null ? Number.POSITIVE_INFINITY : order.endedAtMs + releaseWithinMs,
      })),
    ),
  );
}

/** Returns the first click that may have won an order: one answered after the end of the buyer's earlier orders. */
function earliestClick(clicks: readonly Operation[], orders: readonly OrderFacts[], order: OrderFacts): number {
  const before = orders.flatMap(other =>
    other !== order && other.endedAtMs !== null && other.endedAtMs <= order.placedAtMs ? [other.endedAtMs] : [],
  );
  const since = Math.max(...before, Number.NEGATIVE_INFINITY);
  // Late money won this order, at any time since the end of the earlier one.
  if (order.regrabbed) return since;
  return Math.min(...clicks.filter(({ endedAtMs }) => endedAtMs >= since).map(({ invokedAtMs }) => invokedAtMs));
}

function union(intervals: Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const { fromMs, toMs } of intervals.sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else merged.push({ fromMs, toMs });
  }
  return merged;
}

function countAt(intervals: readonly Interval[]): Steps {
  const changes = intervals.flatMap(({ fromMs, toMs }) => [
    { atMs: fromMs, by: 1 },
    { atMs: toMs, by: -1 },
  ]);
  // At one instant, ends come before beginnings: an overlap that is uncertain doesn't count.
  changes.sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  const steps: Steps = { atMs: [], value: [] };
  let value = 0;
  for (const { atMs, by } of changes) {
    value += by;
    steps.atMs.push(atMs);
    steps.value.push(value);
  }
  return steps;
}

/** Returns the highest value between two times, including the value at the first of them. */
function highestWithin({ atMs, value }: Steps, fromMs: number, toMs: number): number {
  let low = 0;
  let high = atMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((atMs[middle] as number) <= fromMs) low = middle + 1;
    else high = middle;
  }
  let highest = low > 0 ? (value[low - 1] as number) : 0;
  for (let i = low; i < atMs.length && (atMs[i] as number) <= toMs; i += 1)
    highest = Math.max(highest, value[i] as number);
  return highest;
}
