import { Prisma } from '#core/postgres/database.js';
import type { GoodMoney, Way } from '../../support/money/good-money.js';

/** A change of good data that no step makes, and the rules that it breaks with the number of rows; none if it breaks none. */
export interface Damage {
  text: string;
  broken: Readonly<Record<string, number>>;
  statements: (made: GoodMoney) => Prisma.Sql[];
  /** Audits the sale that is paid from wallets, rather than the one at a provider. */
  ofWallet?: true;
}

/** The id of an order, and the order or its payment after a change: the parts of damage. */
const idOf = (made: GoodMoney, way: Way) => Prisma.sql`${made.orders[way]}::uuid`;

/** Builds the change of the payment of an order. */
export const payment = (made: GoodMoney, way: Way, change: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`UPDATE payments SET ${change} WHERE order_id = ${idOf(made, way)}`;

/** Builds the change of an order. */
export const order = (made: GoodMoney, way: Way, change: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`UPDATE orders SET ${change}, version = version + 1 WHERE id = ${idOf(made, way)}`;

/** Builds the change of an order's transfers of a kind. */
export const transfer = (made: GoodMoney, [way, kind]: [Way, string], change: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`UPDATE transfers SET ${change} WHERE order_id = ${idOf(made, way)} AND kind = ${kind}`;

/** Builds one more transfer of an order, which is a copy of its capture with another kind, part and amount. */
export const another = (
  made: GoodMoney,
  way: Way,
  { kind, amountMinor }: { kind: string; amountMinor: number },
): Prisma.Sql => Prisma.sql`
  INSERT INTO transfers (order_id, kind, part, debit_account_id, credit_account_id, amount_minor, currency)
  SELECT order_id, ${kind}, 9, debit_account_id, credit_account_id, ${amountMinor}::bigint, currency
  FROM transfers WHERE order_id = ${idOf(made, way)} AND kind = 'capture'`;

/** Builds a new dispute about the payment of an order, of 1 minor unit. */
export const dispute = (
  made: GoodMoney,
  way: Way,
  { status, currency = 'EUR' }: { status: string; currency?: string },
): Prisma.Sql => Prisma.sql`
  INSERT INTO disputes (payment_id, provider, provider_dispute_id, status, amount_minor, currency)
  SELECT id, provider, 'dp_' || id, ${status}, 1, ${currency} FROM payments WHERE order_id = ${idOf(made, way)}`;

/** Builds one more order of the sale, which is a copy of another one with another status and what is given. */
export const copy = (
  made: GoodMoney,
  way: Way,
  { status, buyer, unit }: { status: string; buyer?: string; unit?: Prisma.Sql },
): Prisma.Sql => Prisma.sql`
  INSERT INTO orders (id, sale_id, buyer_id, unit, status, reason, amount_minor, currency, pay_by)
  SELECT gen_random_uuid(), sale_id, ${buyer ?? Prisma.sql`buyer_id`}, ${unit ?? Prisma.sql`unit`}, ${status},
         CASE WHEN ${status} = 'void' THEN 'lost' END, amount_minor, currency, pay_by
  FROM orders WHERE id = ${idOf(made, way)}`;

/** Builds the removal of a guard of the database, without which a damage is possible. */
export const without = (guard: 'index' | 'constraint', name: string, table = ''): Prisma.Sql =>
  Prisma.raw(guard === 'index' ? `DROP INDEX ${name}` : `ALTER TABLE ${table} DROP CONSTRAINT ${name}`);

/** Builds a moment before the present, by Postgres's clock. */
export const ago = (ms: number): Prisma.Sql => Prisma.sql`clock_timestamp() - ${ms} * interval '1 millisecond'`;
