import type { Operation } from './history.js';

/** The settings of a sale that the checks need. */
export interface SaleFacts {
  id: string;
  units: number;
  opensAtMs: number;
  closesAtMs: number;
  /** Whether the sale has a standby. Then free units may belong to buyers on standby. */
  standby: boolean;
  /** With `immediate`, orders are paid as they are placed. */
  settlement: 'deferred' | 'immediate';
  provider: 'wallet' | 'signed-webhook';
  /** Whether buyers join before the opening. Their entry is the promise, also when Redis loses the claim that came of it. */
  hasDraw?: boolean;
  /** After this many ends without payment a buyer gets no unit any more; 0 or undefined for no such rule. */
  unpaidLimit?: number;
  /** The most units of one group of buyers; 0 or undefined for no such rule. */
  perGroup?: number;
  /** Whether a click needs a pass. */
  needsPass?: boolean;
}

/** A row of `orders` when everything is at rest. */
export interface OrderFacts {
  claimId: string;
  saleId: string;
  buyerId: string;
  unit: number;
  status: string;
  reason: string | null;
  placedAtMs: number;
  payByMs: number;
  /** When Postgres ended the order; null for a live order, and for a refunded one, which has no such time. */
  endedAtMs: number | null;
  /** The order was won by late money, not by a click. */
  regrabbed: boolean;
  /** The group of the buyer that the token of the click named; undefined for none. */
  group?: string;
}

/** The status of a claim in one answer. The answer was asked for and received at these times. */
export interface Sighting {
  status: string;
  fromMs: number;
  toMs: number;
}

/** Everything that is known of one claim: the answers that name it, and its order. */
export interface ClaimView {
  claimId: string;
  saleId: string;
  buyerId: string;
  unit: number;
  sightings: Sighting[];
  order: OrderFacts | undefined;
  /** Between these times the claim was certainly live: from its first answer to its end in Postgres. */
  liveFromMs: number;
  liveToMs: number;
}

const LIVE = new Set(['queued', 'pending_payment', 'paid']);
/** The reasons of orders that were placed, and not paid by their deadline. */
const OVERDUE = new Set(['unpaid', 'provider_failed']);
const ENDED = new Set(['cancelled', 'rejected', 'refunded', 'void']);

/** Tells whether a claim or an order with this status keeps its unit. */
export const isLive = (status: string): boolean => LIVE.has(status);
/** Tells whether a claim or an order with this status has given its unit back. */
export const isEnded = (status: string): boolean => ENDED.has(status);

/** An answer that names a claim of its buyer. */
export type ClaimAnswer = Operation & { claimId: string; unit: number; status: string };

/** Tells whether an operation is such an answer. */
export const namesClaim = (operation: Operation): operation is ClaimAnswer =>
  operation.outcome === 'ok' &&
  operation.claimId !== undefined &&
  operation.unit !== undefined &&
  operation.status !== undefined;

/** The sources of the views. */
export interface ViewSource {
  operations: readonly Operation[];
  orders: readonly OrderFacts[];
  redisLostData: boolean;
}

/** Creates a view of each claim that an answer names or that has an order. */
export function viewClaims({ operations, orders, redisLostData }: ViewSource): ClaimView[] {
  const orderOf = new Map(orders.map(order => [order.claimId, order]));
  const views = new Map<string, ClaimView>();
  for (const { claimId, saleId, buyerId, unit, status, invokedAtMs, endedAtMs } of operations.filter(namesClaim)) {
    const view = views.get(claimId) ?? createView({ claimId, saleId, buyerId, unit }, orderOf.get(claimId));
    views.set(claimId, view);
    view.sightings.push({ status, fromMs: invokedAtMs, toMs: endedAtMs });
  }
  for (const order of orders) if (!views.has(order.claimId)) views.set(order.claimId, createView(order, order));
  for (const view of views.values()) {
    const proven = redisLostData ? [] : view.sightings;
    Object.assign(view, certainlyLive(view, proven));
  }
  return [...views.values()];
}

function createView(
  { claimId, saleId, buyerId, unit }: Pick<ClaimView, 'claimId' | 'saleId' | 'buyerId' | 'unit'>,
  order: OrderFacts | undefined,
): ClaimView {
  return { claimId, saleId, buyerId, unit, order, sightings: [], liveFromMs: 0, liveToMs: 0 };
}

/**
 * Returns the time in which a claim was certainly live. It begins with the first answer or with the order. It ends with the last
 * answer that showed the claim live, unless Postgres proves more.
 *
 * @param proven the answers that prove a claim: none when Redis has lost data, because then only an order proves a claim
 */
function certainlyLive(
  { sightings, order }: ClaimView,
  proven: readonly Sighting[],
): Pick<ClaimView, 'liveFromMs' | 'liveToMs'> {
  const seen = proven.map(sighting => sighting.toMs);
  const wasPlaced = order && (isLive(order.status) || OVERDUE.has(order.reason ?? '') || order.status === 'refunded');
  const liveFromMs = Math.min(...seen, ...(wasPlaced ? [order.placedAtMs] : []));
  if (order && isLive(order.status)) return { liveFromMs, liveToMs: Number.POSITIVE_INFINITY };
  const lastLive = Math.max(...sightings.filter(({ status }) => isLive(status)).map(({ fromMs }) => fromMs));
  return { liveFromMs, liveToMs: order?.endedAtMs ?? lastLive };
}

/** Groups items by a key, in the order of the items. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
