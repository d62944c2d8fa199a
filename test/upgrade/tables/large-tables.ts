import type pg from 'pg';

/** The rows of each large table: a shop after some years. */
export const ROWS = 1_000_000;

const SALE = `
  INSERT INTO sales (id, title, price_minor, currency, units, opens_at, closes_at, pay_within_seconds, settlement,
                     standby_factor, provider)
  VALUES ('large', 'Large', 500, 'EUR', 100000000, now() - interval '1 hour', now() + interval '1 day', 900, 'deferred',
          0, 'signed-webhook')`;

const ACCOUNTS = `
  INSERT INTO accounts (id, kind, owner, currency)
  VALUES (1, 'external', 'signed-webhook', 'EUR'), (2, 'shop', 'shop', 'EUR')`;

/** A table that grows with every order, and how the old version writes it. */
interface LargeTable {
  /** Fills it from a series of numbers `i`. */
  fill: string;
  /** Statements that write a row as a new order does, and then change it. */
  writes: readonly string[];
}

/** The order of a number. Ids in order fill an index several times as quickly as random ones. */
const ORDER_ID = `lpad(to_hex(i), 32, '0')::uuid`;

/** The order that the writer made last. As a subquery, the buyer is computed once, and found by an index. */
const OF_WRITER = `sale_id = 'large' AND buyer_id = (SELECT 'writer-' || currval('writer_numbers'))`;

const LARGE_TABLES: LargeTable[] = [
  {
    fill: `INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by, paid_at)
           SELECT ${ORDER_ID}, 'large', 'buyer-' || i, i, 'paid', 500, 'EUR', now(), now() FROM i`,
    writes: [
      `INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by)
       SELECT gen_random_uuid(), 'large', 'writer-' || n, 50000000 + n, 'pending_payment', 500, 'EUR', now()
       FROM nextval('writer_numbers') n`,
      `UPDATE orders SET status = 'paid', paid_at = now(), version = version + 1
       WHERE ${OF_WRITER}`,
    ],
  },
  {
    fill: `INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
           SELECT ${ORDER_ID}, 'capture', 1, 2, 500, 'EUR' FROM i`,
    writes: [
      `INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
       SELECT id, 'capture', 1, 2, 500, 'EUR' FROM orders WHERE ${OF_WRITER}`,
    ],
  },
  {
    fill: `INSERT INTO payments (order_id, provider, amount_minor, currency, status, paid_order_id)
           SELECT ${ORDER_ID}, 'signed-webhook', 500, 'EUR', 'paid', ${ORDER_ID} FROM i`,
    writes: [
      `INSERT INTO payments (order_id, provider, amount_minor, currency, status, paid_order_id)
       SELECT id, 'signed-webhook', 500, 'EUR', 'paid', id FROM orders WHERE ${OF_WRITER}`,
    ],
  },
  {
    fill: `INSERT INTO outbox_events (kind, sale_id, order_id, payload, delivered_at)
           SELECT 'release', 'large', ${ORDER_ID}, '{}', now() FROM i`,
    writes: [
      `INSERT INTO outbox_events (kind, sale_id, order_id, payload)
       SELECT 'release', 'large', id, '{}' FROM orders WHERE ${OF_WRITER}`,
    ],
  },
];

/** Statements of a writer, in their order; on one connection they may be repeated for as long as one likes. */
export const WRITES: readonly string[] = LARGE_TABLES.flatMap(({ writes }) => writes);

/**
 * Fills the tables that grow with every order with {@link ROWS} rows each.
 *
 * @param client a connection of a superuser
 */
export async function fillLargeTables(client: pg.Client): Promise<void> {
  for (const statement of [SALE, ACCOUNTS, 'CREATE SEQUENCE writer_numbers']) await client.query(statement);
  // Without triggers, and so without looking up each foreign key, it takes a third of the time.
  await client.query('SET session_replication_role = replica');
  for (const { fill } of LARGE_TABLES) {
    await client.query(`WITH i AS (SELECT generate_series(1, ${ROWS}) AS i) ${fill}`);
  }
  // Otherwise the checkpoint, and the first statistics, would be made in the middle of the tests.
  await client.query('ANALYZE');
  await client.query('CHECKPOINT');
}
