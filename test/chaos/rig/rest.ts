import { untilNoneLeft } from '#stack/processes/until.js';
import type { Connections } from '#stack/stores/connections.js';
import { disagreement, type PaymentFacts } from '../history/books.js';
import type { SaleFacts } from '../history/claim-view.js';
import { auditStores } from '../history/final-audit.js';
import type { Query } from '../workload/world.js';

const LOOK_EVERY_MS = 250;

/** Sale ids have no quotes: see core/rules/claim.ts. */
const pending = (sales: readonly SaleFacts[]): string => {
  const ids = sales.map(({ id }) => `'${id}'`).join(', ');
  return `
    SELECT (SELECT count(*) FROM orders WHERE status = 'pending_payment' AND sale_id IN (${ids})) AS orders,
           (SELECT count(*) FROM outbox_events WHERE delivered_at IS NULL AND sale_id IN (${ids})) AS releases,
           (SELECT count(*) FROM payments p JOIN orders o ON o.id = p.order_id
            WHERE p.status IN ('late', 'refund_due') AND o.sale_id IN (${ids})) AS payments`;
};

/**
 * Waits until nothing is on its way any more: no claim unplaced, no order unpaid, no release to be carried out, no money undecided.
 *
 * @param connections the connection to Redis
 * @param query reads Postgres
 * @param sales all of them
 * @param limitMs how long, in ms
 * @param readPayments the payments at the provider, if there is one
 * @returns what is still on its way, in words; nothing when it came to rest
 */
export function comeToRest(
  { redis }: Pick<Connections, 'redis'>,
  query: Query,
  sales: readonly SaleFacts[],
  limitMs: number,
  readPayments: () => Promise<PaymentFacts[]> = async () => [],
): Promise<string[]> {
  const left = () => onItsWay(redis, query, sales, readPayments).catch(error => [`a store does not answer: ${error}`]);
  return untilNoneLeft(left, limitMs, LOOK_EVERY_MS);
}

async function onItsWay(
  redis: Connections['redis'],
  query: Query,
  sales: readonly SaleFacts[],
  readPayments: () => Promise<PaymentFacts[]>,
): Promise<string[]> {
  const left: string[] = [];
  // Before our books: what a payment that is heard of meanwhile sets going is in them then.
  const unheard = (await readPayments()).filter(payment => disagreement(payment) !== undefined);
  if (unheard.length > 0) left.push(`${unheard.length} payments are not what they are at their provider`);
  const [row] = await query(pending(sales));
  if (row?.orders !== '0') left.push(`${row?.orders} orders wait for their payment`);
  if (row?.releases !== '0') left.push(`${row?.releases} releases are not carried out`);
  if (row?.payments !== '0') left.push(`${row?.payments} payments are not decided`);
  for (const { id, closesAtMs } of sales) {
    const unplaced = await redis.zcard(`{${id}}:outbox`);
    if (unplaced > 0) left.push(`${unplaced} claims of ${id} are not placed`);
    const [free, waiting, state] = await Promise.all([
      redis.llen(`{${id}}:stock`),
      redis.zcard(`{${id}}:standby`),
      redis.hget(`{${id}}:sale`, 'state'),
    ]);
    const isOpen = state === 'open' && closesAtMs > Date.now();
    if (isOpen && free > 0 && waiting > 0) left.push(`${waiting} wait in ${id}, and ${free} units are free`);
  }
  if (left.length > 0) return left;
  // What a process that failed did not tell Redis any more, reconcile does.
  for (const sale of sales) left.push(...(await auditStores(redis, query, sale)));
  return left;
}
