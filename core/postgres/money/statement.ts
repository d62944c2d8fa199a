import { type Database, Prisma } from '../database.js';

/** One movement of money into or out of a buyer's wallet. */
export interface StatementLine {
  at: string;
  kind: 'credit' | 'capture' | 'refund' | 'refund_to_wallet';
  orderId: string | null;
  saleId: string | null;
  currency: string;
  /** In minor units: positive into the wallet, negative out of it. */
  amountMinor: number;
  /** The wallet's balance after this movement, in minor units. */
  balanceMinor: number;
}

/**
 * Reads the newest movements of a buyer's wallets, oldest first, each with the balance after it. The balances are sums
 * of transfers, so the last one of a currency proves the wallet's stored balance.
 *
 * @param limit the most rows
 */
export async function readStatement(db: Database, buyerId: string, limit: number): Promise<StatementLine[]> {
  const rows = await db.$queryRaw<StatementRow[]>(Prisma.sql`
    WITH flows AS (
      SELECT t.id, t.created_at, t.kind, t.order_id, t.currency,
             CASE WHEN t.credit_account_id = a.id THEN t.amount_minor ELSE -t.amount_minor END AS amount
      FROM accounts a JOIN transfers t ON t.credit_account_id = a.id OR t.debit_account_id = a.id
      WHERE a.kind = 'buyer' AND a.owner = ${buyerId}),
    summed AS (SELECT *, sum(amount) OVER (PARTITION BY currency ORDER BY id) AS balance FROM flows)
    SELECT f.id, f.created_at, f.kind, f.order_id, o.sale_id, f.currency, f.amount, f.balance::bigint
    FROM summed f LEFT JOIN orders o ON o.id = f.order_id ORDER BY f.id DESC LIMIT ${limit}`);
  return rows.map(lineOf).reverse();
}

interface StatementRow {
  created_at: Date;
  kind: StatementLine['kind'];
  order_id: string | null;
  sale_id: string | null;
  currency: string;
  amount: bigint;
  balance: bigint;
}

function lineOf(row: StatementRow): StatementLine {
  return {
    at: row.created_at.toISOString(),
    kind: row.kind,
    orderId: row.order_id,
    saleId: row.sale_id,
    currency: row.currency,
    amountMinor: Number(row.amount),
    balanceMinor: Number(row.balance),
  };
}
