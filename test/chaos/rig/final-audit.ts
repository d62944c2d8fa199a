import type { Redis } from '#core/redis/connection.js';
import { prefixOf } from '#core/redis/keys.js';
import type { SaleFacts } from '../history/claim-view.js';
import type { Query } from '../workload/query.js';

/**
 * The rules that must hold in Postgres at rest, in plain SQL and without any code of the product. Each query returns the rows that
 * break its rule.
 */
const RULES: Record<string, string> = {
  'a unit has two live orders': `
    SELECT sale_id, unit, count(*) FROM orders WHERE status IN ('pending_payment', 'paid')
    GROUP BY sale_id, unit HAVING count(*) > 1`,
  'a buyer has two live orders': `
    SELECT sale_id, buyer_id, count(*) FROM orders WHERE status IN ('pending_payment', 'paid')
    GROUP BY sale_id, buyer_id HAVING count(*) > 1`,
  'more live orders than units': `
    SELECT s.id, s.units, count(*) FROM orders o JOIN sales s ON s.id = o.sale_id
    WHERE o.status IN ('pending_payment', 'paid') GROUP BY s.id, s.units HAVING count(*) > s.units`,
  'a unit that does not exist': `
    SELECT o.id, o.unit FROM orders o JOIN sales s ON s.id = o.sale_id WHERE o.unit NOT BETWEEN 1 AND s.units`,
  'an order still waits': `SELECT id, sale_id, buyer_id, pay_by FROM orders WHERE status = 'pending_payment'`,
  'the price is not that of the sale': `
    SELECT o.id, o.amount_minor FROM orders o JOIN sales s ON s.id = o.sale_id
    WHERE o.amount_minor <> s.price_minor OR o.currency <> s.currency`,
  'paid without exactly one capture of the price': `
    SELECT o.id, o.status FROM orders o LEFT JOIN transfers t ON t.order_id = o.id AND t.kind = 'capture'
    WHERE o.status IN ('paid', 'refunded') GROUP BY o.id, o.status, o.amount_minor
    HAVING count(t.id) <> 1 OR coalesce(sum(t.amount_minor), 0) <> o.amount_minor`,
  'paid, and given back in other parts than the order says': `
    SELECT o.id, o.refunded_minor, sum(t.amount_minor) FROM orders o
    LEFT JOIN transfers t ON t.order_id = o.id AND t.kind = 'refund' WHERE o.status = 'paid'
    GROUP BY o.id HAVING o.refunded_minor <> coalesce(sum(t.amount_minor), 0)`,
  'more is given back than was taken': `
    SELECT order_id FROM transfers WHERE kind IN ('capture', 'refund') GROUP BY order_id
    HAVING sum(CASE kind WHEN 'capture' THEN amount_minor ELSE -amount_minor END) < 0`,
  'a refund is owed': `SELECT id, order_id, status FROM payments WHERE refund_at IS NOT NULL`,
  'a dispute withholds another amount than is booked': `
    SELECT o.id, o.status FROM orders o
    JOIN payments p ON coalesce(p.paid_order_id, p.order_id) = o.id AND p.mismatch IS NULL AND p.status IN ('paid', 'refunded')
    LEFT JOIN (SELECT payment_id, sum(amount_minor) AS held FROM disputes WHERE status IN ('open', 'lost') GROUP BY 1) d
      ON d.payment_id = p.id
    LEFT JOIN (SELECT order_id, sum(CASE kind WHEN 'dispute' THEN amount_minor ELSE -amount_minor END) AS booked FROM transfers
               WHERE kind IN ('dispute', 'dispute_reversal') GROUP BY 1) b ON b.order_id = o.id
    WHERE p.status = 'paid' AND coalesce(b.booked, 0) <> coalesce(d.held, 0)
      - least(coalesce(d.held, 0), greatest(0, p.refund_minor - p.returned_minor - p.compensated_minor))`,
  'money taken for an order that is not paid': `
    SELECT o.id, o.status, sum(CASE t.kind WHEN 'capture' THEN t.amount_minor ELSE -t.amount_minor END)
    FROM orders o JOIN transfers t ON t.order_id = o.id AND t.kind IN ('capture', 'refund') WHERE o.status <> 'paid'
    GROUP BY o.id, o.status HAVING sum(CASE t.kind WHEN 'capture' THEN t.amount_minor ELSE -t.amount_minor END) <> 0`,
  'money moved from or to somebody else than who pays for the sale': `
    SELECT t.id, t.kind FROM transfers t JOIN orders o ON o.id = t.order_id JOIN sales s ON s.id = o.sale_id
    JOIN accounts d ON d.id = t.debit_account_id JOIN accounts c ON c.id = t.credit_account_id
    JOIN accounts p ON p.kind = CASE s.provider WHEN 'wallet' THEN 'buyer' ELSE 'external' END
      AND p.owner = CASE s.provider WHEN 'wallet' THEN o.buyer_id ELSE s.provider END AND p.currency = t.currency
    WHERE CASE t.kind WHEN 'capture' THEN d.id <> p.id OR c.kind <> 'shop'
                      WHEN 'dispute_reversal' THEN d.id <> p.id OR c.kind <> 'shop'
                      WHEN 'refund' THEN d.kind <> 'shop' OR c.id <> p.id
                      WHEN 'dispute' THEN d.kind <> 'shop' OR c.id <> p.id
                      ELSE d.id <> p.id OR c.kind <> 'buyer' OR c.owner <> o.buyer_id END`,
  'a transfer that does not balance': `
    SELECT t.id FROM transfers t JOIN accounts d ON d.id = t.debit_account_id JOIN accounts c ON c.id = t.credit_account_id
    WHERE d.id = c.id OR d.currency <> t.currency OR c.currency <> t.currency OR t.amount_minor <= 0`,
  'all accounts together are not 0': `
    SELECT currency, sum(balance) FROM (
      SELECT currency, balance_minor AS balance FROM accounts WHERE kind = 'buyer'
      UNION ALL SELECT a.currency, CASE a.id WHEN t.credit_account_id THEN t.amount_minor ELSE -t.amount_minor END
      FROM accounts a JOIN transfers t ON a.id IN (t.debit_account_id, t.credit_account_id) WHERE a.kind <> 'buyer') b
    GROUP BY currency HAVING sum(balance) <> 0`,
  'a payment is undecided': `SELECT id, order_id, status, updated_at FROM payments WHERE status IN ('late', 'refund_due')`,
  'a payment is kept, and its order is not paid': `
    SELECT p.id, p.order_id, o.status FROM payments p LEFT JOIN orders o ON o.id = p.paid_order_id
    WHERE p.status = 'paid' AND o.status IS DISTINCT FROM 'paid'`,
  'paid at a provider without a payment': `
    SELECT o.id FROM orders o JOIN sales s ON s.id = o.sale_id LEFT JOIN payments p ON p.paid_order_id = o.id AND p.status = 'paid'
    WHERE o.status = 'paid' AND s.provider <> 'wallet' AND p.id IS NULL`,
  'an event was stored and had no effect': `SELECT id, event_id FROM payment_events WHERE outcome IS NULL`,
  'a balance is not the sum of its transfers': `
    SELECT a.id, a.owner, a.balance_minor FROM accounts a
    LEFT JOIN (SELECT account, sum(amount) AS amount FROM (
      SELECT credit_account_id AS account, amount_minor AS amount FROM transfers
      UNION ALL SELECT debit_account_id, -amount_minor FROM transfers) f GROUP BY account) flow ON flow.account = a.id
    WHERE a.kind = 'buyer' AND (a.balance_minor <> coalesce(flow.amount, 0) OR a.balance_minor < 0)`,
  'expired before its deadline': `
    SELECT id, pay_by, cancelled_at FROM orders WHERE reason IN ('unpaid', 'provider_failed') AND cancelled_at < pay_by`,
  'paid after its deadline': `SELECT id, pay_by, paid_at FROM orders WHERE paid_at > pay_by`,
  'ended without a release': `
    SELECT o.id, o.status FROM orders o LEFT JOIN outbox_events e ON e.order_id = o.id AND e.kind = 'release'
    WHERE o.status IN ('cancelled', 'rejected', 'void', 'refunded') AND e.id IS NULL`,
  'a release was not carried out': `SELECT id, sale_id, order_id, created_at FROM outbox_events WHERE kind = 'release' AND delivered_at IS NULL`,
};

/** A report lists at most this many rows for one rule; one row is bad enough. */
const LISTED_MAX = 5;

/**
 * Checks all rules in Postgres.
 *
 * @returns one line for each broken rule
 */
export async function auditRows(query: Query): Promise<string[]> {
  const broken: string[] = [];
  for (const [rule, sql] of Object.entries(RULES)) {
    const rows = await query(sql);
    if (rows.length > 0) broken.push(`sql: ${rule}: ${rows.length}, ${JSON.stringify(rows.slice(0, LISTED_MAX))}`);
  }
  return broken;
}

/**
 * Compares a sale in both stores at rest. Every unit is free, withdrawn, or in one live claim with the live order of that claim.
 *
 * @returns one line for each difference
 */
export async function auditStores(redis: Redis, query: Query, sale: SaleFacts): Promise<string[]> {
  const prefix = prefixOf(sale.id);
  const free = await redis.lrange(`${prefix}:stock`, 0, -1);
  const records = Object.entries(await redis.hgetall(`${prefix}:claims`));
  const outbox = await redis.zcard(`${prefix}:outbox`);
  const rows = await query(
    `SELECT id, buyer_id, unit, status FROM orders WHERE sale_id = '${sale.id}' AND status IN ('pending_payment', 'paid')`,
  );
  const live = records.flatMap(([buyerId, record]) => {
    const [claimId, unit, status] = record.split(' ');
    return ['queued', 'pending_payment', 'paid'].includes(status ?? '')
      ? [`${claimId} ${buyerId} ${unit} ${status}`]
      : [];
  });
  const withdrawn = await query(`SELECT unit FROM withdrawn_units WHERE sale_id = '${sale.id}'`);
  const orders = rows.map(({ id, buyer_id, unit, status }) => `${id} ${buyer_id} ${unit} ${status}`);
  const held = [...live.map(claim => claim.split(' ')[2]), ...withdrawn.map(({ unit }) => unit)];
  const units = [...free, ...held].map(Number).sort((a, b) => a - b);
  const wrong = units.filter((unit, i) => unit !== i + 1);
  const broken: string[] = [];
  const add = (what: string) => broken.push(`stores: ${sale.id}: ${what}`);
  if (units.length !== sale.units || wrong.length > 0) {
    add(
      `${units.length} units of ${sale.units} are free, claimed or withdrawn; first wrong unit ${wrong.slice(0, LISTED_MAX)}`,
    );
  }
  if (outbox > 0) add(`${outbox} claims wait in the outbox`);
  for (const claim of difference(live, orders)) add(`live in Redis and not in Postgres: ${claim}`);
  for (const order of difference(orders, live)) add(`live in Postgres and not in Redis: ${order}`);
  if (sale.unpaidLimit) for (const what of await miscounted(query, sale.id, records)) add(what);
  return broken;
}

/** Compares the strikes in the claims' records of a sale with the orders that ended without payment. */
async function miscounted(query: Query, saleId: string, records: readonly [string, string][]): Promise<string[]> {
  const rows = await query(
    `SELECT buyer_id, count(*) AS strikes FROM orders WHERE sale_id = '${saleId}' AND status IN ('cancelled', 'rejected')
     AND reason IN ('unpaid', 'cancelled_by_buyer', 'insufficient_funds') GROUP BY buyer_id`,
  );
  const ended = rows.map(({ buyer_id, strikes }) => `${buyer_id} ${strikes}`);
  const counted = records.flatMap(([buyerId, record]) => {
    const strikes = / strikes=(\d+)/.exec(record)?.[1];
    return strikes === undefined ? [] : [`${buyerId} ${strikes}`];
  });
  return [
    ...difference(counted, ended).map(what => `strikes in Redis and not in Postgres: ${what}`),
    ...difference(ended, counted).map(what => `strikes in Postgres and not in Redis: ${what}`),
  ];
}

const difference = (all: string[], without: string[]): string[] => {
  const known = new Set(without);
  return all.filter(item => !known.has(item)).slice(0, LISTED_MAX);
};
