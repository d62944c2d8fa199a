import { type Database, Prisma } from '../database.js';
import { ORDER_PAGE } from './sale-orders.js';

/** The orders of one buyer of a sale, counted by how they stand. */
export interface BuyerCounts {
  buyerId: string;
  /** The group that the buyer's token named, if it named one. A buyer whose group has changed comes once for each. */
  group: string | undefined;
  /** Orders that keep their unit from others. */
  live: number;
  /** Orders that were not paid in time. */
  unpaid: number;
  /** Orders that the buyer gave up. */
  gaveUp: number;
}

/**
 * Counts the orders of the buyers of a sale, by pages in the order of their ids. Buyers whose orders all went well, and who have no group,
 * are left out.
 *
 * @returns pages, which may be empty
 */
export async function* signalPages(db: Database, saleId: string): AsyncGenerator<BuyerCounts[]> {
  for (let after: string | null = ''; ; ) {
    const page: SignalPage = await readPage(db, saleId, after);
    if (page.last === null) return;
    yield (page.counts?.split(',') ?? []).map(parseCounts);
    after = page.last;
  }
}

/** The counts as one text, and the last buyer of the page; null after the last page. */
interface SignalPage {
  counts: string | null;
  last: string | null;
}

/** A page ends with all orders of a buyer, so it may have some more than {@link ORDER_PAGE}. */
async function readPage(db: Database, saleId: string, after: string): Promise<SignalPage> {
  const [row] = await db.$queryRaw<SignalPage[]>(Prisma.sql`
    WITH page AS MATERIALIZED (
      SELECT max(p.buyer_id) AS last FROM (
        SELECT o.buyer_id FROM orders o WHERE o.sale_id = ${saleId} AND o.buyer_id > ${after}
        ORDER BY o.buyer_id LIMIT ${ORDER_PAGE}) p),
    counted AS (
      SELECT o.buyer_id, o.buyer_group, count(*) FILTER (WHERE o.status IN ('pending_payment', 'paid')) AS live,
             count(*) FILTER (WHERE o.status = 'cancelled' AND o.reason <> 'cancelled_by_buyer') AS unpaid,
             count(*) FILTER (WHERE o.status = 'cancelled' AND o.reason = 'cancelled_by_buyer') AS gave_up
      FROM orders o
      WHERE o.sale_id = ${saleId} AND o.buyer_id > ${after} AND o.buyer_id <= (SELECT last FROM page)
      GROUP BY o.buyer_id, o.buyer_group)
    SELECT (SELECT last FROM page) AS last,
           string_agg(concat_ws(' ', buyer_id, coalesce(buyer_group, '-'), live, unpaid, gave_up), ',') AS counts
    FROM counted WHERE unpaid + gave_up > 0 OR buyer_group IS NOT NULL`);
  return row ?? { counts: null, last: null };
}

/** Neither a buyer's id nor a group has a space or a comma (ID_PATTERN). A group `-` counts as none. */
function parseCounts(text: string): BuyerCounts {
  const [buyerId = '', group = '-', live, unpaid, gaveUp] = text.split(' ');
  return {
    buyerId,
    group: group === '-' ? undefined : group,
    live: Number(live),
    unpaid: Number(unpaid),
    gaveUp: Number(gaveUp),
  };
}
