import type { Operation } from './history.js';

/** A sale, as it was made. */
export interface SaleFacts {
  id: string;
  units: number;
  opensAtMs: number;
  closesAtMs: number;
  /** Whether there is a line: then free units may belong to those in it. */
  standby: boolean;
  /** `immediate`: orders are paid as they are placed. */
  settlement: 'deferred' | 'immediate';
  provider: 'wallet' | 'signed-webhook';
}

/** A row of `orders` at the end. */
export interface OrderFacts {
  claimId: string;
  saleId: string;
  buyerId: string;
  unit: number;
  status: string;
  reason: string | null;
  placedAtMs: number;
  payByMs: number;
  /** When Postgres ended it; null while it is live, and for refunds, which have no such time. */
  endedAtMs: number | null;
  /** Won by no click, but by money that came late. */
  regrabbed: boolean;
}

/** What a client was told of a claim. */
export interface Sighting {
  status: string;
  fromMs: number;
  toMs: number;
}

/** Everything that is known of one claim: what clients saw, and how it ended. */
export interface ClaimView {
  claimId: string;
  saleId: string;
  buyerId: string;
  unit: number;
  sightings: Sighting[];
  order: OrderFacts | undefined;
  /** From here to there the claim was live for certain: from its first answer to its end in Postgres. */
  liveFromMs: number;
  liveToMs: number;
}

const LIVE = new Set(['queued', 'pending_payment', 'paid']);
const ENDED = new Set(['cancelled', 'rejected', 'refunded', 'void']);

export const isLive = (status: string): boolean => LIVE.has(status);
export const isEnded = (status: string): boolean => ENDED.has(status);

/** An answer that names a claim of its buyer. */
export type ClaimAnswer = Operation & { claimId: string; unit: number; status: string };

export const namesClaim = (operation: Operation): operation is ClaimAnswer =>
  operation.outcome === 'ok' &&
  operation.claimId !== undefined &&
  operation.unit !== undefined &&
  operation.status !== undefined;

/** What the views are made of. */
export interface ViewSource {
  operations: readonly Operation[];
  /** What Postgres holds at the end. */
  orders: readonly OrderFacts[];
  redisLostData: boolean;
}

/**
 * @param source a history, and what it ended in
 * @returns a view of each claim that anybody saw or that has a row
 */
export function viewClaims({ operations, orders, redisLostData }: ViewSource): ClaimView[] {
  const orderOf = new Map(orders.map(order => [order.claimId, order]));
  const views = new Map<string, ClaimView>();
  for (const { claimId, saleId, buyerId, unit, status, invokedAtMs, endedAtMs } of operations.filter(namesClaim)) {
    const view = views.get(claimId) ?? openView({ claimId, saleId, buyerId, unit }, orderOf.get(claimId));
    views.set(claimId, view);
    view.sightings.push({ status, fromMs: invokedAtMs, toMs: endedAtMs });
  }
  for (const order of orders) if (!views.has(order.claimId)) views.set(order.claimId, openView(order, order));
  for (const view of views.values()) Object.assign(view, certainlyLive(view, redisLostData));
  return [...views.values()];
}

function openView(
  { claimId, saleId, buyerId, unit }: Pick<ClaimView, 'claimId' | 'saleId' | 'buyerId' | 'unit'>,
  order: OrderFacts | undefined,
): ClaimView {
  return { claimId, saleId, buyerId, unit, order, sightings: [], liveFromMs: 0, liveToMs: 0 };
}

/**
 * Nothing is certain before the first answer or the order, nor after the last answer that showed the claim live unless
 * Postgres says more. When Redis has lost data, an answer alone proves nothing: only an order does.
 */
function certainlyLive(view: ClaimView, redisLostData: boolean): Pick<ClaimView, 'liveFromMs' | 'liveToMs'> {
  const { sightings, order } = view;
  const seen = redisLostData ? [] : sightings.map(sighting => sighting.toMs);
  const wasPlaced = order && (isLive(order.status) || order.reason === 'unpaid' || order.status === 'refunded');
  const liveFromMs = Math.min(...seen, ...(wasPlaced ? [order.placedAtMs] : []));
  if (order && isLive(order.status)) return { liveFromMs, liveToMs: Number.POSITIVE_INFINITY };
  const lastLive = Math.max(...sightings.filter(({ status }) => isLive(status)).map(({ fromMs }) => fromMs));
  return { liveFromMs, liveToMs: order?.endedAtMs ?? lastLive };
}

/**
 * @param items anything
 * @param keyOf what they are grouped by
 * @returns the groups
 */
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
