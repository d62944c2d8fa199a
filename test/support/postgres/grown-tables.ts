import pg from 'pg';

/** The rows of each table that grows with every order: enough for Postgres to choose the plans of a large shop. */
const GROWN_ROWS = 200_000;

/** The tables that grow with every order, or with a share of them, and are never emptied. */
export const GROWING = [
  'accounts',
  'disputes',
  'entries',
  'orders',
  'outbox_events',
  'payment_events',
  'payments',
  'repairs',
  'transfers',
  'withdrawn_units',
];

const ORDER_ID = `lpad(to_hex(i), 32, '0')::uuid`;
const SALE_ID = `'grown-' || i % 50`;

/** Statements that fill the tables from numbers `i`. Nothing of it is due, and no rule of the audit is broken. */
const FILL = [
  `INSERT INTO sales (id, title, price_minor, currency, units, opens_at, closes_at, pay_within_seconds, settlement, standby_factor, provider)
   SELECT ${SALE_ID}, 'Grown', 500, 'EUR', 1000000, now() - interval '40 days', now() - interval '30 days', 900, 'deferred', 0,
          'signed-webhook' FROM generate_series(1, 50) i`,
  `INSERT INTO sales (id, title, price_minor, currency, units, opening, joins_at, opens_at, closes_at, pay_within_seconds, settlement,
                      standby_factor, provider)
   SELECT 'grown-draw-' || i, 'Grown', 500, 'EUR', 1000, 'draw', now() - interval '41 days', now() - interval '40 days',
          now() - interval '30 days', 900, 'deferred', 0, 'signed-webhook' FROM generate_series(0, 49) i`,
  `INSERT INTO draws (sale_id, seed, salt_key, closed_at, entries, root, value, is_substitute, decided_at, dealt_at)
   SELECT 'grown-draw-' || i, sha256('seed'), sha256('salt'), now(), ${GROWN_ROWS / 50}, sha256('root'), '', false, now(), now()
   FROM generate_series(0, 49) i`,
  `INSERT INTO entries (sale_id, number, buyer_id, change, is_in, is_waiting)
   SELECT 'grown-draw-' || i % 50, i, 'grown-' || i, i, true, true FROM i`,
  `INSERT INTO accounts (kind, owner, currency) VALUES
     ('shop', 'shop', 'EUR'), ('external', 'world', 'EUR'), ('external', 'signed-webhook', 'EUR')`,
  `INSERT INTO accounts (kind, owner, currency, balance_minor)
   SELECT 'buyer', 'grown-' || i, 'EUR', 500 FROM generate_series(1, ${GROWN_ROWS / 2}) i`,
  `INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by, paid_at)
   SELECT ${ORDER_ID}, ${SALE_ID}, 'grown-' || i, i, CASE i % 2 WHEN 0 THEN 'paid' ELSE 'pending_payment' END, 500, 'EUR',
          now() + interval '1 day', CASE i % 2 WHEN 0 THEN now() END FROM i`,
  `INSERT INTO orders (id, sale_id, buyer_id, unit, status, reason, amount_minor, currency, pay_by, cancelled_at)
   SELECT lpad(to_hex(${GROWN_ROWS} + i), 32, '0')::uuid, 'grown-draw-' || i % 50, 'grown-' || i, 1 + i % 1000, 'cancelled', 'unpaid', 500,
          'EUR', now() - interval '31 days', now() - interval '31 days' FROM i WHERE i % 4 = 0`,
  `INSERT INTO transfers (kind, debit_account_id, credit_account_id, amount_minor, currency)
   SELECT 'credit', world.id, buyer.id, 500, 'EUR' FROM accounts world, accounts buyer
   WHERE world.owner = 'world' AND buyer.kind = 'buyer'`,
  `INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
   SELECT ${ORDER_ID}, 'capture', outside.id, shop.id, 500, 'EUR' FROM i, accounts outside, accounts shop
   WHERE i % 2 = 0 AND outside.owner = 'signed-webhook' AND shop.kind = 'shop'`,
  `INSERT INTO payments (order_id, provider, provider_payment_id, amount_minor, currency, status, paid_order_id, ask_at, updated_at)
   SELECT ${ORDER_ID}, 'signed-webhook', 'grown-' || i, 500, 'EUR', CASE i % 2 WHEN 0 THEN 'paid' ELSE 'open' END,
          CASE i % 2 WHEN 0 THEN ${ORDER_ID} END, CASE i % 2 WHEN 1 THEN now() + interval '1 hour' END,
          now() - interval '1 day' FROM i`,
  `INSERT INTO payment_events (provider, event_id, order_id, payload, payment_id, outcome)
   SELECT provider, 'grown-' || id, order_id, '{}', id, 'paid' FROM payments WHERE id % 10 = 0`,
  // Releases and notices of some days, half of the notices after a failed attempt.
  `INSERT INTO outbox_events (kind, sale_id, order_id, payload, created_at, delivered_at, attempt_at)
   SELECT CASE i % 4 WHEN 0 THEN 'release' ELSE 'order.placed' END, ${SALE_ID}, ${ORDER_ID}, '{}', now() - interval '3 days',
          CASE WHEN i % 4 < 3 THEN now() - interval '3 days' END, now() + (i % 4 - 2) * interval '1 hour' FROM i`,
  `INSERT INTO disputes (payment_id, provider, provider_dispute_id, status, amount_minor, currency, ended_at)
   SELECT id, provider, 'grown-' || id, 'won', 1, 'EUR', now() FROM payments WHERE id % 10 = 0`,
  `INSERT INTO withdrawn_units (sale_id, unit, order_id) SELECT ${SALE_ID}, 500000 + i, ${ORDER_ID} FROM i WHERE i % 10 = 0`,
  `INSERT INTO repairs (sale_id, kind, detail) SELECT ${SALE_ID}, 'promoted', '{}' FROM i WHERE i % 10 = 0`,
];

/**
 * Fills the tables of a migrated database with the rows of a shop that has existed for a while.
 *
 * @param databaseUrl for a superuser
 */
export async function fillGrownTables(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // Without triggers, and so without a look-up for each foreign key, it takes a third of the time.
    await client.query('SET session_replication_role = replica');
    await client.query(`CREATE TEMPORARY VIEW i AS SELECT generate_series(1, ${GROWN_ROWS}) AS i`);
    for (const statement of FILL) await client.query(statement);
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}
