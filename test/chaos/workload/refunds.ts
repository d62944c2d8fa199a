import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import type { Shards } from '#core/redis/shards.js';
import type { FakeProvider } from '#stack/fake-provider/start.js';
import { pauseUntil } from '#stack/processes/pause.js';
import type { Connections } from '#stack/stores/connections.js';
import type { History } from '../history/history.js';
import type { Query } from './query.js';
import type { Random } from './random.js';
import { PRICE_MINOR } from './world.js';

const REFUND_EVERY_MS = [300, 1_200] as const;

/** Selects candidates, and orders that were paid at a provider before others. */
const PAID = `
  SELECT o.id, o.sale_id, o.buyer_id, o.refunded_minor, p.provider_payment_id AS payment_id
  FROM orders o JOIN sales s ON s.id = o.sale_id LEFT JOIN payments p ON p.paid_order_id = o.id AND p.status = 'paid'
  WHERE o.status = 'paid' ORDER BY s.provider = 'wallet', o.paid_at DESC LIMIT 40`;

/** The parts of the refund workload. */
export interface RefundOptions {
  connections: Connections<Shards>;
  query: Query;
  history: History;
  /** Gives money back by itself, and has disputes. */
  fake: FakeProvider;
  /** Chooses the orders and the amounts, and whether units come back. */
  random: Random;
  /** Ends the workload. */
  signal: AbortSignal;
}

/**
 * Gives money of paid orders back now and then: as an operator does, whole or in part, and as somebody at the provider
 * does. Some buyers dispute their payment. In the end every dispute is decided.
 */
export async function runRefunds(options: RefundOptions): Promise<void> {
  const { query, random, signal, fake } = options;
  const disputed: string[] = [];
  while (!signal.aborted) {
    await pauseUntil(random.between(...REFUND_EVERY_MS), signal);
    if (signal.aborted) break;
    // While Postgres is away, no order is refunded.
    const paid = await query(PAID).catch(() => []);
    if (paid.length === 0) continue;
    const order = random.pick(paid);
    const payment = order.payment_id ?? undefined;
    if (payment !== undefined && random.chance(0.3)) await fake.refund(payment, random.between(1, 200));
    else if (payment !== undefined && random.chance(0.2)) {
      await fake.dispute(payment);
      disputed.push(payment);
    } else if (random.chance(0.5)) await refundPart(options, order);
    else await refundWhole(options, order);
    if (random.chance(0.3)) await decide(options, disputed);
  }
  while (disputed.length > 0) await decide(options, disputed);
}

async function decide({ fake, random }: RefundOptions, disputed: string[]): Promise<void> {
  const payment = disputed.shift();
  if (payment !== undefined) await fake.closeDisputes(payment, random.chance(0.5) ? 'won' : 'lost');
}

async function refundPart(
  { connections, history, random }: RefundOptions,
  { id: claimId = '', sale_id: saleId = '', buyer_id: buyerId = '', refunded_minor = '0' }: Record<string, string>,
): Promise<void> {
  const amountMinor = random.between(1, 200);
  const complete = history.invoke({ call: 'refund-part', saleId, buyerId, amountMinor });
  const refund = { orderId: claimId, amountMinor, refundedMinor: Number(refunded_minor) };
  await refundOrderPartially(connections, refund).then(
    ({ kind }) =>
      kind === 'refunded' ? complete('ok', { http: 200, claimId }) : complete('fail', { http: 409, claimId }),
    () => complete('info', { http: 0, claimId }),
  );
}

async function refundWhole(
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
