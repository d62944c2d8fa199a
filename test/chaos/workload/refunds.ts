import { refundOrder } from '#core/operator/refund-order.js';
import { pauseUntil } from '#stack/processes/pause.js';
import type { Connections } from '#stack/stores/connections.js';
import type { History } from '../history/history.js';
import type { Random } from './random.js';
import { PRICE_MINOR, type Query } from './world.js';

const REFUND_EVERY_MS = [800, 2_500] as const;

/** Mostly those that a provider took the money for. */
const PAID = `
  SELECT o.id, o.sale_id, o.buyer_id FROM orders o JOIN sales s ON s.id = o.sale_id
  WHERE o.status = 'paid' ORDER BY s.provider = 'wallet', o.paid_at DESC LIMIT 40`;

/**
 * Gives the money of a paid order back now and then, as an operator does, with its unit or without.
 *
 * @param connections both stores
 * @param query reads Postgres
 * @param history notes each
 * @param random chooses which
 * @param signal ends it
 */
export async function refundNowAndThen(
  connections: Connections,
  query: Query,
  history: History,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await pauseUntil(random.between(...REFUND_EVERY_MS), signal);
    if (signal.aborted) return;
    // Postgres may be away: then nobody is refunded now.
    const paid = await query(PAID).catch(() => []);
    if (paid.length > 0) await refundOne(connections, history, random.pick(paid), random.chance(0.6));
  }
}

async function refundOne(
  connections: Connections,
  history: History,
  { id = '', sale_id: saleId = '', buyer_id: buyerId = '' }: Record<string, string>,
  restock: boolean,
): Promise<void> {
  const settle = history.invoke({ call: 'refund', saleId, buyerId, amountMinor: PRICE_MINOR });
  await refundOrder(connections, { orderId: id, restock }).then(
    ({ kind }) =>
      kind === 'refunded' ? settle('ok', { http: 200, claimId: id }) : settle('fail', { http: 409, claimId: id }),
    () => settle('info', { http: 0, claimId: id }),
  );
}
