import { beforeAll, describe, expect, test } from '@jest/globals';
import { type GoodMoney, openGoodSales } from '../../support/money/good-money.js';
import { PRICE, usePayments } from '../../support/payments.js';

// Postgres is the last guard of money: each row that must never exist is refused, whichever statement writes it.

const t = usePayments();
let made: GoodMoney;

beforeAll(async () => {
  [made] = (await openGoodSales(t, ['guarded'])) as [GoodMoney];
  await t.db.$executeRaw`
    CREATE FUNCTION refusal_of(statement TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$
    DECLARE guard TEXT; said TEXT;
    BEGIN
      EXECUTE statement;
      RAISE EXCEPTION 'nothing refuses it';
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS guard = CONSTRAINT_NAME, said = MESSAGE_TEXT;
      RETURN coalesce(nullif(guard, ''), said);
    END $$`;
});

/** Runs a statement and rolls it back. Returns the guard that refuses it, or else what Postgres says. */
async function refusalOf(statement: string): Promise<string | undefined> {
  const [row] = await t.db.$queryRaw<{ refusal: string }[]>`SELECT refusal_of(${statement}) AS refusal`;
  return row?.refusal;
}

type Statement = (orders: GoodMoney['orders']) => string;

const wallet =
  (change: string): Statement =>
  () =>
    `UPDATE accounts SET ${change} WHERE owner = 'guarded-wallet'`;

const capture =
  (change: string): Statement =>
  ({ kept }) =>
    `UPDATE transfers SET ${change} WHERE order_id = '${kept}' AND kind = 'capture'`;

const refundOf =
  (amountMinor: number, part = 9): Statement =>
  ({ kept }) =>
    `
  INSERT INTO transfers (order_id, kind, part, debit_account_id, credit_account_id, amount_minor, currency)
  SELECT order_id, 'refund', ${part}, credit_account_id, debit_account_id, ${amountMinor}, currency
  FROM transfers WHERE order_id = '${kept}' AND kind = 'capture'`;

const payment =
  (change: string): Statement =>
  ({ kept }) =>
    `UPDATE payments SET ${change} WHERE order_id = '${kept}'`;

/** One more attempt to pay the order whose payment is open. */
const attempt =
  (values: { attempt: number; status: string }): Statement =>
  ({ open }) =>
    `
  INSERT INTO payments (order_id, provider, amount_minor, currency, attempt, status)
  VALUES ('${open}', 'signed-webhook', ${PRICE}, 'EUR', ${values.attempt}, '${values.status}')`;

const dispute =
  (change: string): Statement =>
  ({ held }) =>
    `UPDATE disputes SET ${change} WHERE payment_id = (SELECT id FROM payments WHERE order_id = '${held}')`;

const copyOf =
  (table: string, columns: string): Statement =>
  () =>
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${table} LIMIT 1`;

/** The guards of the tables of money, each with a statement that only this guard refuses. */
const REFUSED: [guard: string, statement: Statement][] = [
  ['accounts_kind_check', () => `INSERT INTO accounts (kind, owner, currency) VALUES ('bank', 'x', 'EUR')`],
  ['accounts_currency_check', wallet(`currency = 'eur'`)],
  ['accounts_balance_minor_check', wallet('balance_minor = -1')],
  ['accounts_only_buyers_have_balance', wallet('balance_minor = NULL')],
  ['accounts_only_buyers_have_balance', () => `UPDATE accounts SET balance_minor = 0 WHERE kind = 'shop'`],
  ['accounts_kind_owner_currency_key', copyOf('accounts', 'kind, owner, currency, balance_minor')],
  ['transfers_kind_check', capture(`kind = 'gift'`)],
  ['transfers_amount_minor_check', capture('amount_minor = -1')],
  ['transfers_between_two_accounts', capture('debit_account_id = credit_account_id')],
  ['transfers_for_an_order_or_credit', capture('order_id = NULL')],
  ['transfers_for_an_order_or_credit', capture(`kind = 'credit', part = 9`)],
  ['transfers_order_id_kind_part_key', refundOf(1, 0)],
  ['transfers_order_id_fkey', capture('order_id = gen_random_uuid()')],
  ['transfers_debit_account_id_fkey', capture('debit_account_id = 0')],
  ['transfers_credit_account_id_fkey', capture('credit_account_id = 0')],
  ['payments_amount_minor_check', payment('amount_minor = 0')],
  ['payments_currency_check', payment(`currency = 'euro'`)],
  ['payments_status_check', payment(`status = 'lost'`)],
  ['payments_paid_has_order', payment('paid_order_id = NULL')],
  ['payments_attempt_check', payment('attempt = 0')],
  ['payments_order_id_attempt_key', attempt({ attempt: 1, status: 'failed' })],
  ['payments_one_attempt', attempt({ attempt: 2, status: 'requested' })],
  ['payments_one_attempt', attempt({ attempt: 2, status: 'open' })],
  [
    'payments_paid_order_id_key',
    ({ kept, held }) => `UPDATE payments SET paid_order_id = '${held}' WHERE order_id = '${kept}'`,
  ],
  [
    'payments_provider_provider_payment_id_key',
    ({ kept, held }) => `UPDATE payments SET provider_payment_id =
      (SELECT provider_payment_id FROM payments WHERE order_id = '${held}') WHERE order_id = '${kept}'`,
  ],
  ['payments_order_id_fkey', payment('order_id = gen_random_uuid()')],
  ['payments_paid_order_id_fkey', payment('paid_order_id = gen_random_uuid()')],
  ['payment_events_provider_event_id_key', copyOf('payment_events', 'provider, event_id, payload')],
  ['payment_events_payment_id_fkey', () => 'UPDATE payment_events SET payment_id = 0'],
  ['disputes_status_check', dispute(`status = 'settled'`)],
  ['disputes_amount_minor_check', dispute('amount_minor = -1')],
  ['disputes_currency_check', dispute(`currency = 'eur'`)],
  ['disputes_payment_id_fkey', dispute('payment_id = 0')],
  [
    'disputes_provider_provider_dispute_id_key',
    copyOf('disputes', 'payment_id, provider, provider_dispute_id, status, amount_minor, currency'),
  ],
  ['withdrawn_units_unit_check', () => 'UPDATE withdrawn_units SET unit = 0'],
  ['withdrawn_units_sale_id_fkey', () => `UPDATE withdrawn_units SET sale_id = 'nowhere'`],
  ['withdrawn_units_order_id_fkey', () => 'UPDATE withdrawn_units SET order_id = gen_random_uuid()'],
  ['withdrawn_units_pkey', copyOf('withdrawn_units', 'sale_id, unit, order_id')],
  ['outbox_events_kind_check', () => `UPDATE outbox_events SET kind = 'order.lost'`],
  ['outbox_events_order_id_kind_part_key', copyOf('outbox_events', 'kind, sale_id, order_id, payload, part')],
];

/** The tables that hold money, and what is due because of money. */
const TABLES = ['accounts', 'transfers', 'payments', 'payment_events', 'disputes', 'withdrawn_units', 'outbox_events'];

describe('a row that must never exist', () => {
  test.each(REFUSED)('is refused by %s: %#', async (guard, statement) => {
    expect(await refusalOf(statement(made.orders))).toBe(guard);
  });

  // The ids of the other tables are given out by the database.
  test('is there for each guard of the tables', async () => {
    const guards = await t.db.$queryRaw<{ name: string }[]>`
      SELECT conname::text AS name FROM pg_constraint WHERE conrelid::regclass::text = ANY(${TABLES}) AND contype IN ('c', 'f')
      UNION SELECT indexrelid::regclass::text FROM pg_index
      WHERE indrelid::regclass::text = ANY(${TABLES}) AND indisunique
        AND NOT (indisprimary AND indrelid::regclass::text <> 'withdrawn_units')
      ORDER BY 1`;
    expect(guards.map(({ name }) => name)).toEqual([...new Set(REFUSED.map(([guard]) => guard))].sort());
  });
});

describe('more than an order took', () => {
  const REST = PRICE - 200;

  test('never goes back of it', async () => {
    expect(await refusalOf(refundOf(REST + 1)(made.orders))).toBe(
      `order ${made.orders.kept}: more goes back than was taken`,
    );
  });

  test('is not what is left of it', async () => {
    expect(await refusalOf(refundOf(REST)(made.orders))).toBe('nothing refuses it');
  });
});
