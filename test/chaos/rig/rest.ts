import type { Redis } from '#core/redis/connection.js';
import { prefixOf } from '#core/redis/keys.js';
import type { Shards } from '#core/redis/shards.js';
import { untilNoneLeft } from '#stack/processes/until.js';
import type { SaleFacts } from '../history/claim-view.js';
import { disagreement, type PaymentFacts } from '../history/payment-facts.js';
import type { Query } from '../workload/query.js';
import { auditStores } from './final-audit.js';

const LOOK_EVERY_MS = 250;

/** Sale ids have no quotes: see core/rules/claim.ts. */
const inFlight = (sales: readonly SaleFacts[]): string => {
  const ids = sales.map(({ id }) => `'${id}'`).join(', ');
  return `
    SELECT (SELECT count(*) FROM orders WHERE status = 'pending_payment' AND sale_id IN (${ids})) AS orders,
           (SELECT count(*) FROM outbox_events WHERE delivered_at IS NULL AND sale_id IN (${ids})) AS deliveries,
           (SELECT count(*) FROM payments p JOIN orders o ON o.id = p.order_id
            WHERE (p.status IN ('late', 'refund_due') OR p.refund_at IS NOT NULL) AND o.sale_id IN (${ids})) AS payments,
           (SELECT count(*) FROM draws WHERE dealt_at IS NULL AND sale_id IN (${ids})) AS draws`;
};

/** The sales that are to come to rest, and how their state is read. */
export interface RestOptions {
  redis: Shards;
  query: Query;
  sales: readonly SaleFacts[];
  /** The wait is over after this time, in ms. */
  limitMs: number;
  /** Reads the payments at the provider, if there is one. */
  readPayments?: () => Promise<PaymentFacts[]>;
}

/**
 * Waits until all sales are at rest: claims are placed, orders and money are decided, deliveries are carried out, and both stores
 * agree.
 *
 * @returns what is still in flight, in words; nothing when everything is at rest
 */
export function untilAllAtRest(options: RestOptions): Promise<string[]> {
  const left = () => readLeft(options).catch(error => [`a store does not answer: ${error}`]);
  return untilNoneLeft(left, options.limitMs, LOOK_EVERY_MS);
}

async function readLeft(options: RestOptions): Promise<string[]> {
  const { redis, query, sales, readPayments = async () => [] } = options;
  const left: string[] = [];
  // The provider comes before our books: an event that arrives meanwhile is in them then.
  const different = (await readPayments()).filter(payment => disagreement(payment) !== undefined);
  if (different.length > 0) left.push(`${different.length} payments differ from those of their provider`);
  const [row] = await query(inFlight(sales));
  if (row?.orders !== '0') left.push(`${row?.orders} orders wait for their payment`);
  if (row?.deliveries !== '0') left.push(`${row?.deliveries} deliveries are not carried out`);
  if (row?.payments !== '0') left.push(`${row?.payments} payments are not decided`);
  if (row?.draws !== '0') left.push(`${row?.draws} draws are not dealt`);
  for (const sale of sales) left.push(...(await readUnsold(redis.of(sale.id), sale)));
  if (left.length > 0) return left;
  // A process that failed may not have told Redis. Reconcile does that later.
  for (const sale of sales) left.push(...(await auditStores(redis.of(sale.id), query, sale)));
  return left;
}

/** Finds claims without an order, and buyers on standby for whom a unit is free. */
async function readUnsold(redis: Redis, { id, closesAtMs }: SaleFacts): Promise<string[]> {
  const [unplaced, unstored, free, waiting, state] = await Promise.all([
    redis.zcard(`${prefixOf(id)}:outbox`),
    redis.zcard(`${prefixOf(id)}:unstored`),
    redis.llen(`${prefixOf(id)}:stock`),
    redis.zcard(`${prefixOf(id)}:standby`),
    redis.hget(`${prefixOf(id)}:sale`, 'state'),
  ]);
  const isOpen = state === 'open' && closesAtMs > Date.now();
  return [
    ...(unplaced > 0 ? [`${unplaced} claims of ${id} are not placed`] : []),
    ...(unstored > 0 ? [`${unstored} entries of ${id} are not stored`] : []),
    ...(isOpen && free > 0 && waiting > 0
      ? [`${waiting} buyers are on standby in ${id}, and ${free} units are free`]
      : []),
  ];
}
