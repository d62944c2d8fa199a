import { Prisma, type Transaction } from '../database.js';

// The books are the accounts and the transfers. No page of them is large, so no statement is long, however many years of
// transfers there are. Each page reads a balance and all transfers of its account in one statement, and so at one moment.

/** The most transfers of one page whose accounts are checked, too. A page takes about 40 ms. */
const TRANSFERS_MAX = 2_000;

/** The most transfers of one page of the walk, which checks the accounts apart. */
const WALKED_MAX = 5_000;

/** The most accounts, or orders of a sale, of one page. Each of them has several transfers. */
const ACCOUNTS_MAX = 1_000;

/** The ids of the rows of one page that break a rule of {@link BOOKS_RULES}. */
export interface BrokenRows {
  unbalanced: bigint[];
  negative: bigint[];
  foreign: bigint[];
}

/** The rules about all books, by the list of the rows that break them. */
export const BOOKS_RULES = {
  unbalanced: 'I5 a balance is not the sum of its transfers',
  negative: 'I5 a balance is negative',
  foreign: 'I5 a transfer is between accounts of other currencies',
} as const satisfies Record<keyof BrokenRows, string>;

/** The SQL of the accounts of the transfers `moved`. */
const TOUCHED = Prisma.sql`SELECT debit_account_id AS id FROM moved UNION SELECT credit_account_id FROM moved`;

const TRANSFER_COLUMNS = Prisma.sql`id, debit_account_id, credit_account_id, currency`;

const NONE_MOVED = Prisma.sql`moved AS (SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE false)`;

/** A part of the ids of a table: those above `after`, and up to `upTo` if it is given. */
export interface Range {
  after: bigint;
  upTo?: bigint | undefined;
}

/** A page: its broken rows, and the last id that it read; null if it read none. */
export interface IdPage {
  broken: BrokenRows;
  last: bigint | null;
}

const within = ({ after, upTo }: Range) =>
  upTo === undefined ? Prisma.sql`id > ${after}` : Prisma.sql`id > ${after} AND id <= ${upTo}`;

/** Checks the next transfers of a range, and the balances of their accounts. */
export function checkTransfers(db: Transaction, range: Range): Promise<IdPage> {
  return checkIds(db, transferPage(range, TRANSFERS_MAX, TOUCHED));
}

/** Checks the next transfers of a range, and not the balances of their accounts. */
export function walkTransfers(db: Transaction, range: Range): Promise<IdPage> {
  return checkIds(db, transferPage(range, WALKED_MAX, Prisma.sql`SELECT id FROM moved WHERE false`));
}

const transferPage = (range: Range, limit: number, suspects: Prisma.Sql) => Prisma.sql`
  moved AS MATERIALIZED (
    SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE ${within(range)} ORDER BY id LIMIT ${limit}),
  suspects AS (${suspects}),
  read AS (SELECT max(id) AS last FROM moved)`;

/** Checks the balances of the next accounts of a range. */
export function checkAccounts(db: Transaction, range: Range): Promise<IdPage> {
  return checkIds(
    db,
    Prisma.sql`
      ${NONE_MOVED},
      suspects AS MATERIALIZED (SELECT id FROM accounts WHERE ${within(range)} ORDER BY id LIMIT ${ACCOUNTS_MAX}),
      read AS (SELECT max(id) AS last FROM suspects)`,
  );
}

/** Checks again the rows that were found to be broken. */
export async function checkFindings(db: Transaction): Promise<BrokenRows> {
  const { broken } = await checkIds(
    db,
    Prisma.sql`
      moved AS MATERIALIZED (
        SELECT t.* FROM books_findings f, LATERAL (SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE id = f.row_id OFFSET 0) t
        WHERE f.kind = 'transfer'),
      suspects AS (SELECT row_id AS id FROM books_findings WHERE kind = 'account'),
      read AS (SELECT 0::bigint AS last)`,
  );
  return broken;
}

/** The order after which a page of a sale begins. */
export interface OrderMark {
  buyerId: string;
  orderId: string;
}

/**
 * Checks the transfers of the next orders of a sale, and the balances of their buyers and of the accounts of the
 * transfers. The checkpoint is not trusted with them.
 *
 * @param after the last order of the page before
 * @returns the broken rows, and the last order that was read
 */
export async function checkSale(
  db: Transaction,
  saleId: string,
  after?: OrderMark,
): Promise<{ broken: BrokenRows; last: OrderMark | undefined }> {
  const next = after ? Prisma.sql`AND (buyer_id, id) > (${after.buyerId}, ${after.orderId}::uuid)` : Prisma.empty;
  const { broken, last } = await check<string | null>(
    db,
    Prisma.sql`
      page AS MATERIALIZED (
        SELECT id, buyer_id FROM orders WHERE sale_id = ${saleId} ${next} ORDER BY buyer_id, id LIMIT ${ACCOUNTS_MAX}),
      moved AS MATERIALIZED (
        SELECT t.* FROM page p, LATERAL (SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE order_id = p.id OFFSET 0) t),
      suspects AS (
        ${TOUCHED}
        UNION SELECT a.id FROM page p, LATERAL (
          SELECT id FROM accounts WHERE kind = 'buyer' AND owner = p.buyer_id OFFSET 0) a),
      read AS (SELECT (SELECT id || ' ' || buyer_id FROM page ORDER BY buyer_id DESC, id DESC LIMIT 1) AS last)`,
  );
  const [orderId, buyerId] = last?.split(' ') ?? [];
  return { broken, last: orderId && buyerId ? { orderId, buyerId } : undefined };
}

function checkIds(db: Transaction, page: Prisma.Sql): Promise<IdPage> {
  return check<bigint | null>(db, page);
}

/**
 * Checks a page.
 *
 * @param page parts of a WITH: the transfers `moved`, the accounts `suspects`, and `read` with one column `last`. LATERAL
 * with OFFSET keeps Postgres to one index look-up for each row. A join may read a whole table.
 */
async function check<T>(db: Transaction, page: Prisma.Sql): Promise<{ broken: BrokenRows; last: T }> {
  const [row] = await db.$queryRaw<(BrokenRows & { last: T })[]>(Prisma.sql`
    WITH ${page},
    wallets AS MATERIALIZED (
      SELECT a.id, a.balance_minor FROM suspects s, LATERAL (
        SELECT id, balance_minor FROM accounts WHERE id = s.id AND kind = 'buyer' OFFSET 0) a)
    SELECT read.last,
      ARRAY(SELECT w.id FROM wallets w, LATERAL (
        SELECT coalesce(sum(amount), 0) AS balance FROM (
          SELECT amount_minor AS amount FROM transfers WHERE credit_account_id = w.id
          UNION ALL SELECT -amount_minor FROM transfers WHERE debit_account_id = w.id) f) flows
        WHERE w.balance_minor <> flows.balance) AS unbalanced,
      ARRAY(SELECT id FROM wallets WHERE balance_minor < 0) AS negative,
      ARRAY(SELECT m.id FROM moved m,
        LATERAL (SELECT currency FROM accounts WHERE id = m.debit_account_id OFFSET 0) d,
        LATERAL (SELECT currency FROM accounts WHERE id = m.credit_account_id OFFSET 0) c
        WHERE d.currency <> m.currency OR c.currency <> m.currency) AS "foreign"
    FROM read`);
  if (!row) throw new Error('a page of the books has one row');
  const { last, ...broken } = row;
  return { broken, last };
}
