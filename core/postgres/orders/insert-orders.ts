import type { Claim } from '../../rules/claim.js';
import type { Order } from '../../rules/order.js';
import { type Database, Prisma, type SaleRow, type Transaction } from '../database.js';
import { insertWallets } from '../money/wallet.js';
import { claimRows } from './claim-rows.js';
import { insertPaidOrders } from './insert-paid-orders.js';
import { type InsertedRow, inserted, insertedOf } from './inserted.js';
import { readOrders } from './order-row.js';

/** What became of a batch of claims. */
export interface Placement {
  /** The orders that are new. */
  placed: Order[];
  /** Those that were there already: placed before, or given up before. */
  known: Order[];
  /** Claims that can't be placed: their unit, or their buyer's turn, belongs to another live order. */
  conflicting: Claim[];
}

/**
 * Places claims: one statement for the whole batch, at about 37,000 orders/s where one Prisma `create` each makes 1,600
 * (measured). Safe to repeat: the claim's id is the primary key, so the first to write it decides.
 *
 * @param db the database
 * @param saleId the sale
 * @param claims at most 1,000
 * @returns what became of each
 * @throws what Prisma throws: then what happened is unknown, and placing again is the way to learn it
 */
export async function insertOrders(db: Database, saleId: string, claims: Claim[]): Promise<Placement> {
  const { settlement, priceMinor, currency } = await termsOf(db, saleId);
  if (priceMinor === 0n) {
    await insertWallets(
      db,
      claims.map(({ buyerId }) => buyerId),
      currency,
    );
  }
  const insert = settlement === 'immediate' ? insertPaidOrders : insertUnpaidOrders;
  const placed = await insert(db, saleId, claims);
  const missing = without(claims, placed);
  if (missing.length === 0) return { placed, known: [], conflicting: [] };
  const known = await readOrders(
    db,
    missing.map(claim => claim.claimId),
  );
  return { placed, known, conflicting: without(missing, known) };
}

/** What a sale asks for. */
type Terms = Pick<SaleRow, 'settlement' | 'priceMinor' | 'currency'>;

/** It never changes, so each process asks for it once. */
const terms = new WeakMap<Database, Map<string, Terms>>();

async function termsOf(db: Database, saleId: string): Promise<Terms> {
  const known = terms.get(db) ?? new Map<string, Terms>();
  terms.set(db, known);
  const cached = known.get(saleId);
  if (cached) return cached;
  const select = { settlement: true, priceMinor: true, currency: true } as const;
  const read = await db.sale.findUniqueOrThrow({ where: { id: saleId }, select });
  known.set(saleId, read);
  return read;
}

function without(claims: Claim[], orders: Order[]): Claim[] {
  const found = new Set(orders.map(order => order.claimId));
  return claims.filter(claim => !found.has(claim.claimId));
}

/**
 * Places claims that are to be paid later. In the order of the ids, so that two workers with the same batch wait for each
 * other and never in a circle. What was inserted comes back as one text, and only if that wasn't all: a row for each order
 * costs the worker more than the insert (measured).
 *
 * @param db the database, or a transaction
 * @param saleId the sale
 * @param claims at most 1,000
 * @returns the orders that are new, as `pending_payment`
 * @throws what Prisma throws
 */
export async function insertUnpaidOrders(db: Transaction, saleId: string, claims: Claim[]): Promise<Order[]> {
  const [row] = await db.$queryRaw<InsertedRow[]>(Prisma.sql`
    WITH inserted AS (
      INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, placed_at, pay_by)
      SELECT c.id, s.id, c.buyer_id, c.unit, 'pending_payment', s.price_minor, s.currency,
             statement_timestamp(), statement_timestamp() + s.pay_within_seconds * interval '1 second'
      FROM ${claimRows(claims)}
      JOIN sales s ON s.id = ${saleId} AND c.unit <= s.units
      WHERE NOT EXISTS (SELECT FROM withdrawn_units w WHERE w.sale_id = s.id AND w.unit = c.unit)
      ORDER BY c.id
      ON CONFLICT DO NOTHING
      RETURNING id, pay_by)
    SELECT ${inserted(claims)} FROM inserted`);
  return insertedOf(claims, row).map(order => ({ ...order, status: 'pending_payment', reason: null }));
}
