import { Prisma } from './database.js';
import { NOW } from './now.js';

/** Rules by their text, each with a query that counts the rows that break it. */
export type Rules = Readonly<Record<string, Prisma.Sql>>;

/** A rule that rows in Postgres break, and the number of those rows. */
export interface BrokenRule {
  rule: string;
  rows: number;
}

/**
 * The parts of the audit's WITH about money, for a WITH that has the sale's orders as `o`. `money`: each order with the
 * sums of its transfers. `taken_payments`: each payment of these orders whose money was taken, with its amounts, as
 * core/rules/payment-money.ts names them; `refund_minor_raw` is the column as it is.
 *
 * LATERAL keeps Postgres to index look-ups for each order. A join reads the whole table of transfers, whatever the size
 * of the sale.
 */
export const MONEY_SUMS = Prisma.sql`
  money AS (
    SELECT o.id, o.status, o.buyer_id, o.amount_minor, o.refunded_minor, sums.* FROM o, LATERAL (
      SELECT count(*) FILTER (WHERE t.kind = 'capture') AS captures,
             array_agg(t.debit_account_id) FILTER (WHERE t.kind = 'capture') AS payers,
             coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'capture'), 0) AS captured,
             coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'refund'), 0) AS refunded,
             coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'dispute'), 0)
               - coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'dispute_reversal'), 0) AS disputed
      FROM transfers t WHERE t.order_id = o.id) sums),
  -- MATERIALIZED, as two rules ask for them.
  own_payments AS MATERIALIZED (
    SELECT p.* FROM o, LATERAL (SELECT * FROM payments WHERE order_id = o.id OFFSET 0) p),
  taken AS (
    SELECT p.*, coalesce((p.mismatch ->> 'amountMinor')::bigint, p.amount_minor) AS taken_minor, d.held_minor, d.lost_minor
    FROM own_payments p, LATERAL (
      SELECT coalesce(sum(amount_minor) FILTER (WHERE status IN ('open', 'lost')), 0) AS held_minor,
             coalesce(sum(amount_minor) FILTER (WHERE status = 'lost'), 0) AS lost_minor
      FROM disputes WHERE payment_id = p.id AND currency = coalesce(p.mismatch ->> 'currency', p.currency)) d
    WHERE p.status IN ('late', 'paid', 'refund_due', 'refunded')),
  taken_payments AS (
    SELECT t.id, t.status, t.order_id, t.paid_order_id, t.mismatch, t.taken_minor, t.compensated_minor, t.held_minor, t.lost_minor,
           t.refund_at, t.refund_minor AS refund_minor_raw,
           CASE WHEN t.status IN ('refund_due', 'refunded') THEN t.taken_minor ELSE t.refund_minor END AS refund_minor,
           CASE WHEN t.status = 'refunded' THEN greatest(t.returned_minor, t.taken_minor - t.compensated_minor - t.lost_minor)
                ELSE t.returned_minor END AS returned_minor
    FROM taken t)`;

/** The rules of the audit about money: what an order took and gave back, and what its payments say of it. */
export const MONEY_RULES: Rules = {
  'I5 a paid order has not exactly one capture of its price': Prisma.sql`
    SELECT count(*) FROM money WHERE status = 'paid' AND (captures <> 1 OR captured <> amount_minor)`,
  'I5 a paid order does not say what went back of it': Prisma.sql`
    SELECT count(*) FROM money WHERE status = 'paid' AND refunded <> refunded_minor`,
  'I5 an order gives back more than it took': Prisma.sql`
    SELECT count(*) FROM money WHERE refunded > captured`,
  'I5 an order that is not paid keeps money': Prisma.sql`
    SELECT count(*) FROM money WHERE status <> 'paid' AND captured > refunded`,
  'I5 a capture comes from another buyer than the order': Prisma.sql`
    SELECT count(*) FROM money m, unnest(m.payers) AS payer (id),
      LATERAL (SELECT kind, owner FROM accounts WHERE id = payer.id OFFSET 0) a
    WHERE a.kind = 'buyer' AND a.owner <> m.buyer_id`,
  'I5 a payment is taken, and no order was paid with it': Prisma.sql`
    SELECT count(*) FROM taken_payments p JOIN money m ON m.id = p.paid_order_id
    WHERE m.captures <> 1 OR m.captured <> p.taken_minor`,
  'I5 a paid order has no payment that is kept': Prisma.sql`
    SELECT count(*) FROM o JOIN sales s ON s.id = o.sale_id AND s.provider <> 'wallet'
    WHERE o.status = 'paid' AND NOT EXISTS (
      SELECT FROM taken_payments p WHERE p.paid_order_id = o.id AND p.status = 'paid')`,
  'I5 a payment is kept, and its order is not paid': Prisma.sql`
    SELECT count(*) FROM taken_payments p JOIN o ON o.id = p.paid_order_id WHERE p.status = 'paid' AND o.status <> 'paid'`,
  'I5 a payment and its order differ in what went back': Prisma.sql`
    SELECT count(*) FROM taken_payments p JOIN money m ON m.id = p.paid_order_id
    WHERE p.status = 'paid' AND p.refund_minor_raw <> m.refunded`,
  'I5 more of a payment goes back than was taken': Prisma.sql`
    SELECT count(*) FROM taken_payments WHERE refund_minor > taken_minor OR returned_minor > taken_minor`,
  'I5 a refund is owed, and no attempt is planned': Prisma.sql`
    SELECT count(*) FROM taken_payments
    WHERE refund_minor > returned_minor + compensated_minor + lost_minor AND refund_at IS NULL AND status <> 'late'`,
  'I5 a refund is planned, and none is owed': Prisma.sql`
    SELECT count(*) FROM taken_payments
    WHERE refund_minor <= returned_minor + compensated_minor + lost_minor AND refund_at IS NOT NULL`,
  'I5 what disputes withhold is not what is booked': Prisma.sql`
    SELECT count(*) FROM taken_payments p JOIN money m ON m.id = coalesce(p.paid_order_id, p.order_id)
    WHERE p.mismatch IS NULL AND p.status <> 'late' AND m.disputed <> held_minor
      - least(held_minor, greatest(0, p.refund_minor - p.returned_minor - p.compensated_minor))`,
  'I5 late money is 60 s undecided': Prisma.sql`
    SELECT count(*) FROM own_payments p
    WHERE p.status = 'late' AND p.updated_at < ${NOW} - interval '60 seconds'`,
};
