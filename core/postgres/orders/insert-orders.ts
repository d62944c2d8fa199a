import type { Claim } from '../../rules/claim.js';
import type { Order } from '../../rules/order.js';
import { type Database, Prisma, type SaleRow, type Transaction } from '../database.js';
import { insertWallets } from '../money/wallet.js';
import { claimRows } from './claim-rows.js';
import { insertPaidOrders } from './insert-paid-orders.js';
import { type InsertedRow, inserted, insertedOf, soonerPaid } from './inserted.js';
import { readOrders } from './order-row.js';

/** The outcome of placing a batch of claims, which means to make them orders. */
export interface Placement {
  /** The orders that this call inserted. */
  placed: Order[];
  /** The rows that Postgres already had for these claims: orders, or tombstones of claims that were given up. */
  known: Order[];
  /** The claims that cannot become orders: the unit is taken or withdrawn, or the buyer has another live order. */
  conflicting: Claim[];
}

/**
 * Places claims as orders, with one statement for the whole batch. It makes about 37,000 orders/s, where one `create`
 * of Prisma each makes 1,600 (measured). Idempotent: the claim's id is the order's primary key, so the first writer
 * decides.
 *
 * @param claims at most 1,000
 * @throws Prisma's error: the outcome is unknown, so retry
 */
export async function insertOrders(db: Database, saleId: string, claims: Claim[]): Promise<Placement> {
  const { settlement, priceMinor, currency, retryPayWithinSeconds } = await termsOf(db, saleId);
  if (priceMinor === 0n) {
    await insertWallets(
      db,
      claims.map(({ buyerId }) => buyerId),
      currency,
    );
  }
  const placed =
    settlement === 'immediate'
      ? await insertPaidOrders(db, saleId, claims)
      : await insertPayable(db, saleId, { claims, retryPayWithinSeconds });
  const missing = without(claims, placed);
  if (missing.length === 0) return { placed, known: [], conflicting: [] };
  const known = await readOrders(
    db,
    missing.map(claim => claim.claimId),
  );
  return { placed, known, conflicting: without(missing, known) };
}

/** The columns of a sale that decide how its claims become orders. */
type Terms = Pick<SaleRow, 'settlement' | 'priceMinor' | 'currency' | 'retryPayWithinSeconds'>;

/** The terms of the sales read before. Terms never change, so each process reads those of a sale once. */
const terms = new WeakMap<Database, Map<string, Terms>>();

async function termsOf(db: Database, saleId: string): Promise<Terms> {
  const known = terms.get(db) ?? new Map<string, Terms>();
  terms.set(db, known);
  const cached = known.get(saleId);
  if (cached) return cached;
  const select = { settlement: true, priceMinor: true, currency: true, retryPayWithinSeconds: true } as const;
  const read = await db.sale.findUniqueOrThrow({ where: { id: saleId }, select });
  known.set(saleId, read);
  return read;
}

function without(claims: Claim[], orders: Order[]): Claim[] {
  const found = new Set(orders.map(order => order.claimId));
  return claims.filter(claim => !found.has(claim.claimId));
}

/**
 * Inserts orders to be paid later, all with the ordinary time to pay.
 *
 * @param claims at most 1,000
 * @returns the new orders
 * @throws Prisma's error: the outcome is unknown, so retry
 */
export function insertUnpaidOrders(db: Transaction, saleId: string, claims: Claim[]): Promise<Order[]> {
  return insertPayable(db, saleId, { claims, retryPayWithinSeconds: null });
}

/** Claims to be paid later, and the time to pay a unit that came back unpaid, in s; null for the ordinary one. */
interface Payable {
  claims: Claim[];
  retryPayWithinSeconds: number | null;
}

/**
 * Inserts orders to be paid later, as `pending_payment`. They are sorted by id, which prevents deadlocks of two workers
 * with the same batch. The statement returns one row, with a text of ids only if some were not inserted, and one if some
 * have the shorter time to pay. A row for each order would cost more than the insert (measured). A sale without such a time
 * has no look at earlier orders in its statement.
 *
 * @returns the new orders of at most 1,000 claims
 * @throws Prisma's error: the outcome is unknown, so retry
 */
async function insertPayable(
  db: Transaction,
  saleId: string,
  { claims, retryPayWithinSeconds }: Payable,
): Promise<Order[]> {
  const seconds = retryPayWithinSeconds === null ? Prisma.sql`s.pay_within_seconds` : timeToPay(retryPayWithinSeconds);
  const sooner = retryPayWithinSeconds === null ? Prisma.empty : soonerPaid(saleId);
  const [row] = await db.$queryRaw<InsertedRow[]>(Prisma.sql`
    WITH inserted AS (
      INSERT INTO orders (id, sale_id, buyer_id, buyer_group, unit, status, amount_minor, currency, placed_at, pay_by)
      SELECT c.id, s.id, c.buyer_id, c.buyer_group, c.unit, 'pending_payment', s.price_minor, s.currency,
             statement_timestamp(), statement_timestamp() + ${seconds} * interval '1 second'
      FROM ${claimRows(claims)}
      JOIN sales s ON s.id = ${saleId} AND c.unit <= s.units
      WHERE NOT EXISTS (SELECT FROM withdrawn_units w WHERE w.sale_id = s.id AND w.unit = c.unit)
      ORDER BY c.id
      ON CONFLICT DO NOTHING
      RETURNING id, placed_at, pay_by)
    SELECT ${inserted(claims)}${sooner} FROM inserted`);
  return insertedOf(claims, row).map(order => ({ ...order, status: 'pending_payment', reason: null }));
}

/**
 * Builds the SQL for the seconds to pay the unit of the claim `c`: fewer if an earlier order of the unit ended without a payment. Its end
 * may be the buyer's own: the unit has lost time either way. A refunded order was paid, and does not count. The limit keeps Postgres from
 * reading the ended orders of all sales into a hash table.
 */
const timeToPay = (retryPayWithinSeconds: number) => Prisma.sql`
  CASE WHEN (SELECT true FROM orders e
             WHERE e.sale_id = s.id AND e.unit = c.unit AND e.status IN ('cancelled', 'rejected') LIMIT 1)
  THEN least(${retryPayWithinSeconds}::int, s.pay_within_seconds) ELSE s.pay_within_seconds END`;
