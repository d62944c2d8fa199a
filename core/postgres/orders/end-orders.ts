import type { Claim } from '../../rules/claim.js';
import type { OrderReason } from '../../rules/order.js';
import { type Database, Prisma } from '../database.js';
import { endOrders, type ReleaseRow } from '../deliveries/releases.js';
import { claimRows } from './claim-rows.js';
import { isOverdue } from './deadline.js';

/** At most 1,000 claims of one sale that will not become orders, and the reason that their buyers see. */
export interface Abandoned {
  saleId: string;
  claims: Claim[];
  reason: OrderReason;
}

/**
 * Inserts a tombstone under each claim's id, which stops the claim from becoming an order. A later attempt to place the
 * claim finds this row and does nothing. A claim is given up only in this way.
 *
 * @returns the releases to carry out in Redis; none for a claim that has a row already
 * @throws Prisma's error: retry
 */
export function insertTombstones(db: Database, abandoned: Abandoned): Promise<ReleaseRow[]> {
  return insertEnded(db, { ...abandoned, status: 'void' });
}

async function insertEnded(
  db: Database,
  { saleId, claims, status, reason }: Abandoned & { status: 'void' | 'cancelled' },
): Promise<ReleaseRow[]> {
  return endOrders(
    db,
    Prisma.sql`
      WITH ended AS (
        INSERT INTO orders
          (id, sale_id, buyer_id, buyer_group, unit, status, reason, amount_minor, currency, pay_by, cancelled_at)
        SELECT c.id, s.id, c.buyer_id, c.buyer_group, c.unit, ${status}, ${reason}, s.price_minor, s.currency,
               clock_timestamp(), clock_timestamp()
        FROM ${claimRows(claims)}
        JOIN sales s ON s.id = ${saleId}
        ORDER BY c.id
        ON CONFLICT (id) DO NOTHING
        RETURNING id, sale_id, buyer_id, unit, status, reason)`,
    'unless taken',
  );
}

/**
 * Cancels an order for its buyer. A claim without an order gets a cancelled one, so that it is never placed.
 *
 * @returns the release to carry out in Redis; none when the order is paid or has ended
 * @throws Prisma's error: retry
 */
export async function cancelRow(db: Database, saleId: string, claim: Claim): Promise<ReleaseRow[]> {
  const unplaced = await insertEnded(db, {
    saleId,
    claims: [claim],
    status: 'cancelled',
    reason: 'cancelled_by_buyer',
  });
  if (unplaced.length > 0) return unplaced;
  return endOrders(
    db,
    Prisma.sql`
      WITH ended AS (
        UPDATE orders SET status = 'cancelled', reason = 'cancelled_by_buyer', cancelled_at = clock_timestamp(), version = version + 1
        WHERE id = ${claim.claimId}::uuid AND buyer_id = ${claim.buyerId} AND status = 'pending_payment'
        RETURNING id, sale_id, buyer_id, unit, status, reason)`,
    'own',
  );
}

/** An unpaid order whose time to pay is over by Postgres's clock. */
export interface OverdueOrder {
  claimId: string;
  saleId: string;
  buyerId: string;
  payByMs: number;
}

/** How much of the overdue orders is read: at most `limit`, only those of `claimIds` if given, and those after `after`. */
export interface OverduePage {
  limit: number;
  claimIds?: string[] | undefined;
  after?: OverdueOrder | undefined;
}

/** Reads unpaid orders whose time to pay is over by Postgres's clock, the longest overdue first. They come as one text. */
export async function readOverdue(db: Database, { limit, claimIds, after }: OverduePage): Promise<OverdueOrder[]> {
  const among = claimIds ? Prisma.sql`AND o.id = ANY(${claimIds}::uuid[])` : Prisma.empty;
  const next = after
    ? Prisma.sql`AND (o.pay_by, o.id) > (${new Date(after.payByMs)}, ${after.claimId}::uuid)`
    : Prisma.empty;
  const [row] = await db.$queryRaw<{ orders: string | null }[]>(Prisma.sql`
    SELECT string_agg(concat_ws(' ', d.id, d.sale_id, d.buyer_id, (extract(epoch FROM d.pay_by) * 1000)::bigint), ','
                      ORDER BY d.pay_by, d.id) AS orders
    FROM (SELECT o.id, o.sale_id, o.buyer_id, o.pay_by FROM orders o WHERE ${isOverdue()} ${among} ${next}
          ORDER BY o.pay_by, o.id LIMIT ${limit}) d`);
  return (row?.orders?.split(',') ?? []).map(parseOverdue);
}

/** No id has a space or a comma. */
function parseOverdue(text: string): OverdueOrder {
  const [claimId = '', saleId = '', buyerId = '', payByMs] = text.split(' ');
  return { claimId, saleId, buyerId, payByMs: Number(payByMs) };
}

/** A provider had the time to offer a payment if it was asked as many s ago. A click shortly before the deadline comes late. */
const OFFERED_WITHIN_SECONDS = 5;

/**
 * The SQL for why the overdue order `o` ends. The buyer is not responsible if the provider was asked for the payment in time, and has
 * neither offered nor refused it: then its latest attempt is still only requested.
 */
const WHY_OVERDUE = Prisma.sql`CASE WHEN (
    SELECT p.status = 'requested' AND p.created_at <= clock_timestamp() - ${OFFERED_WITHIN_SECONDS} * interval '1 second'
    FROM payments p WHERE p.order_id = o.id ORDER BY p.attempt DESC LIMIT 1) THEN 'provider_failed' ELSE 'unpaid' END`;

/**
 * Cancels those orders that are unpaid and whose time to pay is over, by Postgres's clock. Orders that another process
 * is changing are skipped. An order whose deadline was moved since it was read stays, even if the new one is over, too:
 * its buyer may have clicked in time after the clicks were read.
 *
 * @param read the orders as readOverdue returned them
 * @returns the releases to carry out in Redis
 * @throws Prisma's error: retry
 */
export function expireRows(db: Database, read: OverdueOrder[]): Promise<ReleaseRow[]> {
  const claimIds = read.map(order => order.claimId).join(' ');
  const deadlines = read.map(order => order.payByMs).join(' ');
  return endOrders(
    db,
    Prisma.sql`
      WITH overdue AS (
        SELECT o.id FROM orders o JOIN unnest(string_to_array(${claimIds}, ' ')::uuid[], string_to_array(${deadlines}, ' ')::bigint[])
          AS r (id, pay_by_ms) ON o.id = r.id AND o.pay_by = to_timestamp(r.pay_by_ms / 1000.0)
        WHERE ${isOverdue()}
        FOR UPDATE OF o SKIP LOCKED),
      ended AS (
        UPDATE orders o SET status = 'cancelled', reason = ${WHY_OVERDUE}, cancelled_at = clock_timestamp(), version = version + 1
        FROM overdue WHERE o.id = overdue.id
        RETURNING o.id, o.sale_id, o.buyer_id, o.unit, o.status, o.reason)`,
    'own',
  );
}
