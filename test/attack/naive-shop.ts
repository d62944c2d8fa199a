import type { Database } from '#core/postgres/database.js';

/** A request of a client, which may hold any values. */
export interface NaiveRequest {
  userId: string;
  goodsId: string;
  price?: number;
}

/** The books of the naive shop for one kind of goods. */
export interface NaiveBooks {
  stock: number;
  orders: number;
  paid: number;
  /** The money for paid orders, in minor units. */
  received: number;
  balances: number;
  lowestBalance: number;
}

/**
 * A flash sale as many articles describe it, and the negative control of the attacks: they must harm this shop, or they
 * would prove nothing. Reading the balance, reading the stock, inserting the order, taking the money and taking the unit
 * are separate statements. The shop trusts buyer and price in a request, and every message about a payment.
 */
export class NaiveShop {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async open(): Promise<void> {
    await this.#db.$executeRaw`CREATE SCHEMA naive`;
    await this.#db.$executeRaw`CREATE TABLE naive.users (id TEXT PRIMARY KEY, balance INT NOT NULL)`;
    await this.#db.$executeRaw`CREATE TABLE naive.goods (id TEXT PRIMARY KEY, price INT NOT NULL, num INT NOT NULL)`;
    await this.#db.$executeRaw`CREATE TABLE naive.orders (
      id SERIAL PRIMARY KEY, user_id TEXT, goods_id TEXT, status TEXT, amount INT, received INT NOT NULL DEFAULT 0)`;
  }

  async addGoods(id: string, price: number, num: number): Promise<void> {
    await this.#db.$executeRaw`INSERT INTO naive.goods VALUES (${id}, ${price}, ${num})`;
  }

  async addUser(id: string, balance: number): Promise<void> {
    await this.#db.$executeRaw`INSERT INTO naive.users VALUES (${id}, ${balance})`;
  }

  /** Buys and pays at once. */
  async buy({ userId, goodsId, price }: NaiveRequest): Promise<boolean> {
    const [user] = await this.#db.$queryRaw<
      { balance: number }[]
    >`SELECT balance FROM naive.users WHERE id = ${userId}`;
    const [goods] = await this.#db.$queryRaw<
      { price: number; num: number }[]
    >`SELECT * FROM naive.goods WHERE id = ${goodsId}`;
    const [mine] = await this.#db.$queryRaw<
      { id: number }[]
    >`SELECT id FROM naive.orders WHERE user_id = ${userId} AND goods_id = ${goodsId}`;
    const amount = price ?? goods?.price ?? 0;
    if (!user || user.balance < amount || !goods || goods.num <= 0 || mine) return false;
    await this.#db.$executeRaw`INSERT INTO naive.orders (user_id, goods_id, status, amount, received)
      VALUES (${userId}, ${goodsId}, 'paid', ${amount}, ${amount})`;
    await this.#db.$executeRaw`UPDATE naive.users SET balance = balance - ${amount} WHERE id = ${userId}`;
    await this.#db.$executeRaw`UPDATE naive.goods SET num = num - 1 WHERE id = ${goodsId}`;
    return true;
  }

  /** Takes a unit that is paid later. */
  async order({ userId, goodsId }: NaiveRequest): Promise<number> {
    const [goods] = await this.#db.$queryRaw<{ price: number }[]>`SELECT price FROM naive.goods WHERE id = ${goodsId}`;
    await this.#db.$executeRaw`UPDATE naive.goods SET num = num - 1 WHERE id = ${goodsId}`;
    const [order] = await this.#db.$queryRaw<
      { id: number }[]
    >`INSERT INTO naive.orders (user_id, goods_id, status, amount)
      VALUES (${userId}, ${goodsId}, 'pending', ${goods?.price ?? 0}) RETURNING id`;
    return order?.id ?? 0;
  }

  async pay(id: number): Promise<void> {
    const order = await this.#find(id);
    if (order?.status !== 'pending') return;
    await this.#db.$executeRaw`UPDATE naive.users SET balance = balance - ${order.amount} WHERE id = ${order.user_id}`;
    await this.#db
      .$executeRaw`UPDATE naive.orders SET status = 'paid', received = received + ${order.amount} WHERE id = ${id}`;
  }

  /** Cancels an order, for the buyer or after the deadline. */
  async cancel(id: number): Promise<void> {
    const order = await this.#find(id);
    if (order?.status !== 'pending') return;
    await this.#db.$executeRaw`UPDATE naive.goods SET num = num + 1 WHERE id = ${order.goods_id}`;
    await this.#db.$executeRaw`UPDATE naive.orders SET status = 'cancelled' WHERE id = ${id}`;
  }

  async refund(id: number): Promise<void> {
    const order = await this.#find(id);
    if (order?.status !== 'paid') return;
    await this.#db.$executeRaw`UPDATE naive.users SET balance = balance + ${order.amount} WHERE id = ${order.user_id}`;
    await this.#db
      .$executeRaw`UPDATE naive.orders SET status = 'refunded', received = received - ${order.amount} WHERE id = ${id}`;
  }

  /** Takes every message for a true payment. */
  async webhook(text: string): Promise<void> {
    const { orderId, amount } = JSON.parse(text);
    await this.#db
      .$executeRaw`UPDATE naive.orders SET status = 'paid', received = received + ${amount} WHERE id = ${orderId}`;
  }

  async books(goodsId: string): Promise<NaiveBooks> {
    const [row] = await this.#db.$queryRaw<Record<keyof NaiveBooks, bigint>[]>`
      SELECT (SELECT num FROM naive.goods WHERE id = ${goodsId}) AS stock, count(*) AS orders,
             count(*) FILTER (WHERE status = 'paid') AS paid, coalesce(sum(received), 0) AS received,
             (SELECT coalesce(sum(balance), 0) FROM naive.users u WHERE u.id IN (SELECT user_id FROM naive.orders WHERE goods_id = ${goodsId})) AS balances,
             (SELECT coalesce(min(balance), 0) FROM naive.users) AS "lowestBalance"
      FROM naive.orders WHERE goods_id = ${goodsId}`;
    return Object.fromEntries(
      Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]),
    ) as unknown as NaiveBooks;
  }

  async #find(id: number) {
    const [order] = await this.#db.$queryRaw<
      { status: string; amount: number; user_id: string; goods_id: string }[]
    >`SELECT * FROM naive.orders WHERE id = ${id}`;
    return order;
  }
}
