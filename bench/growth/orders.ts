import type { Rig } from '../rig/rig.js';

/**
 * Writes the unpaid orders of a sale by plain SQL, without triggers: millions of claims would take minutes. Their time to pay ends in
 * the second before `payBy`, as that of orders that were placed in one second.
 */
export async function fillOrders(
  rig: Rig,
  saleId: string,
  { orders, payBy }: { orders: number; payBy: Date },
): Promise<void> {
  const client = await rig.pool.connect();
  try {
    await client.query('SET session_replication_role = replica');
    await client.query(
      `INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by)
       SELECT gen_random_uuid(), $1, 'buyer-' || md5(i::text), i, 'pending_payment', 1000, 'EUR',
              $3::timestamptz - i % 1000 * interval '1 ms'
       FROM generate_series(1, $2::int) AS i`,
      [saleId, orders, payBy],
    );
    await client.query('VACUUM ANALYZE orders');
  } finally {
    client.release(true);
  }
}
