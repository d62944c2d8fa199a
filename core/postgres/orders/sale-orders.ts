import { type Order, type OrderReason, type OrderStatus, STRIKING_REASONS } from '../../rules/order.js';
import type { Sale } from '../../rules/sale.js';
import { type Database, Prisma } from '../database.js';

// Orders of a sale come as one text. Thousands of rows cost the client seven times as much (240 and 1,660 ms of CPU for 200,000).

/** The most buyers whose orders one statement reads: some 20 ms of Postgres. */
export const ORDER_PAGE = 2_000;

/** A sale whose orders are read. With a limit of ends without payment, the orders come with the strikes of their buyers. */
export type OrdersOf = Pick<Sale, 'id' | 'unpaidLimit'>;

/**
 * Reads the latest order of every buyer of a sale, by pages in the order of the buyers' ids.
 *
 * @returns non-empty pages
 */
export async function* orderPages(db: Database, sale: OrdersOf): AsyncGenerator<Order[]> {
  for await (const texts of orderTextPages(db, sale)) yield texts.map(parseOrder);
}

/**
 * Reads what {@link orderPages} reads, as texts: 'buyerId record', where Redis has the same record of the claim (core/rules/claim.ts)
 * unless they differ, or the order is a tombstone. The next page is read while its reader works with the one before.
 */
export async function* orderTextPages(db: Database, sale: OrdersOf): AsyncGenerator<string[]> {
  const pageAfter = (buyerId: string) => {
    const page = readPage(db, sale, Prisma.sql`o.buyer_id > ${buyerId}`);
    // A reader that breaks off never awaits the page.
    page.catch(() => undefined);
    return page;
  };
  let next = pageAfter('');
  for (;;) {
    const page = await next;
    if (page.last === null) return;
    const isLast = page.count < ORDER_PAGE;
    if (!isLast) next = pageAfter(page.last);
    yield textsOf(page);
    if (isLast) return;
  }
}

/**
 * Reads the latest orders of some buyers of a sale.
 *
 * @param buyerIds at most {@link ORDER_PAGE}
 * @returns in the order of the buyers' ids; buyers without an order are left out
 */
export async function readLatestOrders(db: Database, sale: OrdersOf, buyerIds: string[]): Promise<Order[]> {
  if (buyerIds.length === 0) return [];
  return textsOf(await readPage(db, sale, Prisma.sql`o.buyer_id = ANY(${buyerIds}::text[])`)).map(parseOrder);
}

/** Orders as Postgres sends them, and their last buyer, so that the next page can be asked for before they are parsed. */
interface Page {
  orders: string | null;
  last: string | null;
  count: number;
}

/** Counts in the same statement, as the orders of a buyer are read anyway. */
const STRIKES = Prisma.sql`
  count(*) FILTER (WHERE o.status IN ('cancelled', 'rejected') AND o.reason IN (${Prisma.join([...STRIKING_REASONS])}))
    OVER (PARTITION BY o.buyer_id)`;

/** The latest order of a buyer is the live one, otherwise the newest of those that ended. */
async function readPage(db: Database, { id, unpaidLimit }: OrdersOf, whose: Prisma.Sql): Promise<Page> {
  const strikes = unpaidLimit > 0 ? STRIKES : Prisma.sql`0`;
  const [row] = await db.$queryRaw<[Page]>(Prisma.sql`
    SELECT max(l.buyer_id) AS last, count(*)::int AS count,
            string_agg(concat_ws(' ', l.buyer_id, l.id, l.unit, l.status, (extract(epoch FROM l.pay_by) * 1000)::bigint,
                                coalesce(l.reason, '-'), CASE WHEN l.status = 'paid' AND l.refunded_minor > 0
                                                              THEN 'refunded=' || l.refunded_minor END,
                                CASE WHEN l.strikes > 0 THEN 'strikes=' || l.strikes END, 'group=' || l.buyer_group),
                       ',' ORDER BY l.buyer_id) AS orders
    FROM (SELECT DISTINCT ON (o.buyer_id) o.*, ${strikes} AS strikes FROM orders o WHERE o.sale_id = ${id} AND ${whose}
          ORDER BY o.buyer_id, (o.status IN ('pending_payment', 'paid')) DESC, o.placed_at DESC LIMIT ${ORDER_PAGE}) l`);
  return row;
}

const textsOf = ({ orders }: Page): string[] => orders?.split(',') ?? [];

/** Parses an order of {@link orderTextPages}. No part has a space or a comma: a buyer's id has none (ID_PATTERN). */
export function parseOrder(text: string): Order {
  const [buyerId = '', claimId = '', unit, status, payByMs, reason, ...more] = text.split(' ');
  const order: Order = {
    claimId,
    buyerId,
    unit: Number(unit),
    status: status as OrderStatus,
    reason: reason === '-' ? null : (reason as OrderReason),
    payByMs: Number(payByMs),
  };
  for (const word of more) {
    const [name, value = ''] = word.split('=');
    if (name === 'refunded') order.refundedMinor = Number(value);
    else if (name === 'strikes') order.strikes = Number(value);
    else order.group = value;
  }
  return order;
}

/** Reads the withdrawn units of a sale, which were refunded and do not return to stock, by pages in ascending order. */
export async function* withdrawnPages(db: Database, saleId: string): AsyncGenerator<number[]> {
  let after = 0;
  for (;;) {
    const rows = await db.withdrawnUnit.findMany({
      where: { saleId, unit: { gt: after } },
      select: { unit: true },
      orderBy: { unit: 'asc' },
      take: ORDER_PAGE,
    });
    if (rows.length > 0) yield rows.map(({ unit }) => unit);
    if (rows.length < ORDER_PAGE) return;
    after = rows.at(-1)?.unit ?? after;
  }
}
