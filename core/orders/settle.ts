import { crashPoint } from '../crash-point.js';
import type { Order } from '../order.js';
import { type Database, Prisma } from './database.js';
import { ORDER_COLUMNS, type OrderRow, orderOf } from './order-row.js';
import { insertReleaseEvents } from './release-event.js';

type Transaction = Pick<Database, '$queryRaw' | '$executeRaw'>;

/**
 * Places orders and debits the buyers' wallets in one transaction. Who lacks the funds is rejected, and their unit's release
 * written down, in the same transaction; everybody else is not affected.
 *
 * @param db the database
 * @param insert places the orders inside the transaction, as `pending_payment`
 * @returns the orders, each `paid` or `rejected`
 * @throws what Prisma throws: then nothing is known, and placing again is the way to learn it
 */
export function settleAtOnce(db: Database, insert: (tx: Transaction) => Promise<{ ids: string[] }>): Promise<Order[]> {
  return db.$transaction(async tx => {
    const { ids } = await insert(tx);
    if (ids.length === 0) return [];
    await crashPoint('settle.inserted');
    await debit(tx, ids);
    await crashPoint('settle.debited');
    await reject(tx, ids);
    await crashPoint('settle.rejected');
    const rows = await tx.$queryRaw<OrderRow[]>(
      Prisma.sql`SELECT ${ORDER_COLUMNS} FROM orders o WHERE o.id = ANY(${ids}::uuid[])`,
    );
    return rows.map(orderOf);
  });
}

/**
 * Takes the price from each wallet that holds enough and marks those orders paid. The wallets are locked in the order of
 * their ids first, so that two batches with the same buyers wait for each other and never in a circle.
 */
async function debit(tx: Transaction, ids: string[]): Promise<void> {
  await tx.$executeRaw(Prisma.sql`
    WITH due AS (
      SELECT o.id AS order_id, o.amount_minor, o.currency, a.id AS account_id
      FROM orders o JOIN accounts a ON a.kind = 'buyer' AND a.owner = o.buyer_id AND a.currency = o.currency
      WHERE o.id = ANY(${ids}::uuid[])
      ORDER BY a.id FOR UPDATE OF a),
    debited AS (
      UPDATE accounts a SET balance_minor = a.balance_minor - due.amount_minor
      FROM due WHERE a.id = due.account_id AND a.balance_minor >= due.amount_minor
      RETURNING due.*),
    captured AS (
      INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
      SELECT d.order_id, 'capture', d.account_id, shop.id, d.amount_minor, d.currency
      FROM debited d JOIN accounts shop ON shop.kind = 'shop' AND shop.owner = 'shop' AND shop.currency = d.currency)
    UPDATE orders o SET status = 'paid', paid_at = clock_timestamp(), version = version + 1
    FROM debited WHERE o.id = debited.order_id`);
}

async function reject(tx: Transaction, ids: string[]): Promise<void> {
  await tx.$queryRaw(Prisma.sql`
    WITH ended AS (
      UPDATE orders SET status = 'rejected', reason = 'insufficient_funds', cancelled_at = clock_timestamp(), version = version + 1
      WHERE id = ANY(${ids}::uuid[]) AND status = 'pending_payment'
      RETURNING id, sale_id, buyer_id, unit, status, reason)
    ${insertReleaseEvents('ended')}`);
}
