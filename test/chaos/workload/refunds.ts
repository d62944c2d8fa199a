import { refundOrder } from '#core/operator/refund-order.js';
import { pauseUntil } from '#stack/processes/pause.js';
import type { Connections } from '#stack/stores/connections.js';
import type { History } from '../history/history.js';
import type { Query } from './query.js';
import type { Random } from './random.js';
import { PRICE_MINOR } from './world.js';

const REFUND_EVERY_MS = [800, 2_500] as const;

/** Selects candidates, and orders that were paid at a provider before others. */
const PAID = `
  SELECT o.id, o.sale_id, o.buyer_id FROM orders o JOIN sales s ON s.id = o.sale_id
  WHERE o.status = 'paid' ORDER BY s.provider = 'wallet', o.paid_at DESC LIMIT 40`;

/** The parts of the refund workload. */
export interface RefundOptions {
  connections: Connections;
  query: Query;
  history: History;
  /** Chooses the orders, and whether their units come back. */
  random: Random;
  /** Ends the workload. */
  signal: AbortSignal;
}

/** Refunds paid orders now and then, as an operator does, with their units or without. */
export async function runRefunds(options: RefundOptions): Promise<void> {
  const { query, random, signal } = options;
  for (;;) {
    await pauseUntil(random.between(...REFUND_EVERY_MS), signal);
    if (signal.aborted) return;
    // While Postgres is away, no order is refunded.
    const paid = await query(PAID).catch(() => []);
    if (paid.length > 0) await refundOne(options, random.pick(paid));
  }
}

async function refundOne(
  { connections, history, random }: RefundOptions,
  { id: claimId = '', sale_id: saleId = '', buyer_id: buyerId = '' }: Record<string, string>,
): Promise<void> {
  const complete = history.invoke({ call: 'refund', saleId, buyerId, amountMinor: PRICE_MINOR });
  await refundOrder(connections, { orderId: claimId, restock: random.chance(0.6) }).then(
    ({ kind }) =>
      kind === 'refunded' ? complete('ok', { http: 200, claimId }) : complete('fail', { http: 409, claimId }),
    () => complete('info', { http: 0, claimId }),
  );
}
