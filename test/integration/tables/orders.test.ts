import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { refusalOf } from '../../support/postgres/refused-row.js';
import { createMigratedDatabase } from '../../support/stores/shared-postgres.js';

// Postgres is the last guard: rows that must never exist are refused, whichever statement writes them.

let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client({ connectionString: await createMigratedDatabase() });
  await client.connect();
});
afterAll(() => client.end());

type Row = Record<string, string | number | null>;

const NOW = new Date().toISOString();

const aSaleRow = (wanted: Row = {}): Row => ({
  id: `sale-${randomUUID()}`,
  title: 'A sale',
  price_minor: 500,
  currency: 'EUR',
  units: 3,
  opens_at: '2026-01-01T00:00:00Z',
  closes_at: '2026-01-02T00:00:00Z',
  pay_within_seconds: 60,
  settlement: 'deferred',
  standby_factor: 0,
  ...wanted,
});

const anOrderRow = (wanted: Row = {}): Row => ({
  id: randomUUID(),
  sale_id: 'none',
  buyer_id: `buyer-${randomUUID()}`,
  unit: 1,
  status: 'pending_payment',
  amount_minor: 500,
  currency: 'EUR',
  pay_by: NOW,
  ...wanted,
});

async function insert(table: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  const values = columns.map((_, i) => `$${i + 1}`);
  await client.query(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})`, Object.values(row));
}

/** Stores a sale and returns its id. */
async function storeSale(): Promise<string> {
  const sale = aSaleRow();
  await insert('sales', sale);
  return String(sale.id);
}

/** Stores an order of a sale of its own, and returns its id. */
async function storeOrder(wanted: Row = {}): Promise<string> {
  const order = anOrderRow({ sale_id: await storeSale(), ...wanted });
  await insert('orders', order);
  return String(order.id);
}

const update = (id: string, changes: string) => client.query(`UPDATE orders SET ${changes} WHERE id = $1`, [id]);

describe('a sale is refused', () => {
  test.each<[string, Row, string]>([
    ['an id of other characters', { id: 'a b' }, 'sales_id_check'],
    ['an id of 65 characters', { id: 'a'.repeat(65) }, 'sales_id_check'],
    ['a price below 0', { price_minor: -1 }, 'sales_price_minor_check'],
    ['a currency of two letters', { currency: 'EU' }, 'sales_currency_check'],
    ['no units', { units: 0 }, 'sales_units_check'],
    ['no time to pay', { pay_within_seconds: 0 }, 'sales_pay_within_seconds_check'],
    ['an unknown settlement', { settlement: 'later' }, 'sales_settlement_check'],
    ['standby below 0', { standby_factor: -1 }, 'sales_standby_factor_check'],
    ['an unknown state', { state: 'ended' }, 'sales_state_check'],
    ['an end at its beginning', { closes_at: '2026-01-01T00:00:00Z' }, 'sales_check'],
    ['a pause below 0', { min_seconds_between_purchases: -1 }, 'sales_min_seconds_between_purchases_check'],
    ['fewer ends without payment than none', { unpaid_limit: -1 }, 'sales_unpaid_limit_check'],
    ['fewer units for a group than none', { per_group: -1 }, 'sales_per_group_check'],
    ['more units for a group than a thousand', { per_group: 1_001 }, 'sales_per_group_check'],
    ['an unknown provider', { provider: 'bank' }, 'sales_provider_check'],
    ['an unknown rule for late money', { late_money: 'keep' }, 'sales_late_money_check'],
    [
      'a provider that would have to debit at once',
      { provider: 'signed-webhook', settlement: 'immediate' },
      'sales_provider_fits',
    ],
    ['a provider for a price of 0', { provider: 'signed-webhook', price_minor: 0 }, 'sales_provider_fits'],
  ])('with %s', async (_what, wanted, constraint) => {
    expect(await refusalOf(insert('sales', aSaleRow(wanted)))).toBe(constraint);
  });
});

describe('an order is refused', () => {
  test.each<[string, Row, string]>([
    ['a buyer of other characters', { buyer_id: 'a b' }, 'orders_buyer_id_check'],
    ['a buyer without characters', { buyer_id: '' }, 'orders_buyer_id_check'],
    ['a buyer with a second line', { buyer_id: 'a\n' }, 'orders_buyer_id_check'],
    ['a buyer of 65 characters', { buyer_id: 'a'.repeat(65) }, 'orders_buyer_id_check'],
    ['a group of other characters', { buyer_group: 'a b' }, 'orders_buyer_group_check'],
    ['a group without characters', { buyer_group: '' }, 'orders_buyer_group_check'],
    ['a group of 65 characters', { buyer_group: 'a'.repeat(65) }, 'orders_buyer_group_check'],
    ['unit 0', { unit: 0 }, 'orders_unit_check'],
    ['an unknown status', { status: 'sent', reason: 'x' }, 'orders_status_check'],
    ['a price below 0', { amount_minor: -1 }, 'orders_amount_minor_check'],
    ['paid without a time', { status: 'paid' }, 'orders_paid_has_time'],
    ['a time of payment that is not paid', { paid_at: NOW }, 'orders_paid_has_time'],
    ['an end without a reason', { status: 'void' }, 'orders_ended_has_reason'],
    ['a cancellation without a time', { status: 'cancelled', reason: 'unpaid' }, 'orders_cancelled_has_time'],
    ['more given back than its price', { refunded_minor: 501 }, 'orders_refunded_within_price'],
    ['less than nothing given back', { refunded_minor: -1 }, 'orders_refunded_within_price'],
  ])('with %s', async (_what, wanted, constraint) => {
    const order = anOrderRow({ sale_id: await storeSale(), ...wanted });
    expect(await refusalOf(insert('orders', order))).toBe(constraint);
  });

  test('of no sale', async () => {
    expect(await refusalOf(insert('orders', anOrderRow()))).toBe('orders_sale_id_fkey');
  });

  test.each(['pending_payment', 'paid'])('for a unit or a buyer with a live order: %s', async status => {
    const [saleId, paid_at] = [await storeSale(), status === 'paid' ? NOW : null];
    const first = anOrderRow({ sale_id: saleId, buyer_id: 'ann', status, paid_at });
    await insert('orders', first);
    const sameUnit = anOrderRow({ sale_id: saleId, buyer_id: 'bob' });
    const sameBuyer = anOrderRow({ sale_id: saleId, buyer_id: 'ann', unit: 2 });
    expect(await refusalOf(insert('orders', sameUnit))).toBe('orders_live_unit');
    expect(await refusalOf(insert('orders', sameBuyer))).toBe('orders_live_buyer');
  });

  test.each(['cancelled', 'rejected', 'void', 'refunded'])(
    'for neither its unit nor its buyer once the first is %s',
    async status => {
      const saleId = await storeSale();
      const paid_at = status === 'refunded' ? NOW : null;
      const ended = { sale_id: saleId, buyer_id: 'ann', status, reason: 'unpaid', cancelled_at: NOW, paid_at };
      await insert('orders', anOrderRow(ended));
      await insert('orders', anOrderRow({ sale_id: saleId, buyer_id: 'ann' }));
    },
  );
});

describe('an order never changes', () => {
  test.each([
    ["sale_id = 'another'"],
    ["buyer_id = 'another'"],
    ['unit = unit + 1'],
    ['amount_minor = amount_minor + 1'],
    ["currency = 'USD'"],
    ['id = gen_random_uuid()'],
  ])('the purchase itself: %s', async change => {
    const id = await storeOrder();
    expect(await refusalOf(update(id, `${change}, version = version + 1`))).toContain('what was bought never changes');
  });

  const paid = { status: 'paid', paid_at: NOW };
  const ended = (status: string) => ({ status, reason: 'unpaid', cancelled_at: NOW });
  test.each<[string, Row, string]>([
    ['paid', paid, 'pending_payment'],
    ['paid', paid, 'cancelled'],
    ['paid', paid, 'void'],
    ['cancelled', ended('cancelled'), 'pending_payment'],
    ['cancelled', ended('cancelled'), 'paid'],
    ['rejected', ended('rejected'), 'paid'],
    ['void', ended('void'), 'pending_payment'],
    ['refunded', { ...ended('refunded'), paid_at: NOW }, 'paid'],
    ['pending_payment', {}, 'refunded'],
    ['pending_payment', {}, 'void'],
  ])('from %s back or aside', async (_from, row, status) => {
    const id = await storeOrder(row);
    const changes = `status = '${status}', reason = 'unpaid', version = version + 1`;
    expect(await refusalOf(update(id, changes))).toContain(`never becomes ${status}`);
  });

  test.each(['version', 'version + 2', 'version - 1'])('without the next version: %s', async version => {
    const id = await storeOrder();
    const changes = `pay_by = clock_timestamp(), version = ${version}`;
    expect(await refusalOf(update(id, changes))).toContain('the version goes up by one');
  });
});

test('the smallest sale and the smallest order are taken', async () => {
  const sale = aSaleRow({ price_minor: 0, units: 1, pay_within_seconds: 1, standby_factor: 0 });
  await insert('sales', sale);
  await insert('orders', anOrderRow({ sale_id: String(sale.id), buyer_id: 'b', unit: 1, amount_minor: 0 }));
  const { rows } = await client.query('SELECT buyer_id FROM orders WHERE sale_id = $1', [sale.id]);
  expect(rows).toEqual([{ buyer_id: 'b' }]);
});

test.each<[from: string, to: string, Row]>([
  ['pending_payment', 'paid', {}],
  ['pending_payment', 'cancelled', {}],
  ['pending_payment', 'rejected', {}],
  ['paid', 'refunded', { status: 'paid', paid_at: NOW }],
])('an order passes from %s to %s', async (_from, status, row) => {
  const id = await storeOrder(row);
  const times = status === 'paid' ? `paid_at = '${NOW}'` : `cancelled_at = '${NOW}'`;
  await update(id, `status = '${status}', reason = 'any', version = version + 1, ${times}`);
  const { rows } = await client.query('SELECT status FROM orders WHERE id = $1', [id]);
  expect(rows).toEqual([{ status }]);
});

test('a unit is withdrawn once, and only by an order', async () => {
  const saleId = await storeSale();
  const order = anOrderRow({ sale_id: saleId });
  await insert('orders', order);
  const withdrawn = { sale_id: saleId, unit: 1, order_id: String(order.id) };
  await insert('withdrawn_units', withdrawn);
  expect(await refusalOf(insert('withdrawn_units', withdrawn))).toBe('withdrawn_units_pkey');
  expect(await refusalOf(insert('withdrawn_units', { ...withdrawn, unit: 0 }))).toBe('withdrawn_units_unit_check');
  const unknown = { ...withdrawn, unit: 2, order_id: randomUUID() };
  expect(await refusalOf(insert('withdrawn_units', unknown))).toBe('withdrawn_units_order_id_fkey');
});

test('a sale and an order with rows about them are never deleted', async () => {
  const saleId = await storeSale();
  const order = anOrderRow({ sale_id: saleId });
  await insert('orders', order);
  await insert('withdrawn_units', { sale_id: saleId, unit: 1, order_id: String(order.id) });
  const deleting = (table: string, id: unknown) => client.query(`DELETE FROM ${table} WHERE id = $1`, [id]);
  expect(await refusalOf(deleting('orders', order.id))).toBe('withdrawn_units_order_id_fkey');
  expect(await refusalOf(deleting('sales', saleId))).toBe('orders_sale_id_fkey');
});
