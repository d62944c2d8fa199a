// The shop that checks and then acts: balance, stock, order, debit, decrement, one statement after the other. This is the
// negative control: under the same load it must sell too much and take more than a buyer has.
import pg from 'pg';
import { buyerOf, saleOf, send, serve, settings } from './serve.js';

const CONNECTIONS = 16;
const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: CONNECTIONS });

async function buy(saleId: string, buyerId: string): Promise<number> {
  const goods = await pool.query('SELECT stock, price FROM goods WHERE id = $1', [saleId]);
  const { stock, price } = goods.rows[0] as { stock: number; price: number };
  if (stock <= 0) return 409;
  const wallet = await pool.query('SELECT balance FROM wallets WHERE buyer = $1', [buyerId]);
  if ((wallet.rows[0] as { balance: number }).balance < price) return 402;
  await pool.query('INSERT INTO purchases (goods, buyer) VALUES ($1, $2)', [saleId, buyerId]);
  await pool.query('UPDATE wallets SET balance = balance - $2 WHERE buyer = $1', [buyerId, price]);
  await pool.query('UPDATE goods SET stock = stock - 1 WHERE id = $1', [saleId]);
  return 202;
}

serve(async (req, res) => {
  const buyerId = buyerOf(req);
  const status = buyerId === undefined ? 401 : await buy(saleOf(req), buyerId);
  send(res, status, `{"status":${status}}`);
});
