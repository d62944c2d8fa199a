import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { brokenRules } from '#core/postgres/audit.js';
import { checkBooks } from '#core/postgres/books/check.js';
import { type Checkpoint, readCheckpoint } from '#core/postgres/books/checkpoint.js';
import { Prisma, type Transaction } from '#core/postgres/database.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { type GoodMoney, openGoodSales } from '../../support/money/good-money.js';
import { usePayments } from '../../support/payments.js';
import { openTestSale } from '../../support/sales.js';
import { MONEY_DAMAGE, RULES_OF_ALL_SALES } from './money-damage.js';

// Rows below the checkpoint are trusted in the audits of other sales, until the walk has found what is wrong with them.

const t = usePayments();
let damaged: GoodMoney;
let neighbour: GoodMoney;

const WRONG_BALANCE = 'I5 a balance is not the sum of its transfers';
const CURRENCIES = 'I5 a transfer is between accounts of other currencies';
const ROLLED_BACK = 'the damage is rolled back';

beforeAll(async () => {
  [damaged, neighbour] = (await openGoodSales(t, ['damaged', 'neighbour'])) as [GoodMoney, GoodMoney];
});

/** Lets a minute pass for the checkpoint: the rows that it has seen are committed. */
const passMinute = (db: Transaction) =>
  db.$executeRaw`UPDATE books_checkpoint SET seen_at = seen_at - interval '61 seconds'`;

/** Lets the checkpoint reach the newest rows. */
async function reachTheEnd(db: Transaction): Promise<Checkpoint> {
  await checkBooks(db);
  for (;;) {
    await passMinute(db);
    await checkBooks(db);
    const checkpoint = await readCheckpoint(db);
    if (checkpoint.transferId >= checkpoint.seenTransferId && checkpoint.accountId >= checkpoint.seenAccountId) {
      return checkpoint;
    }
  }
}

beforeEach(() => reachTheEnd(t.db));

const found = async (db: Transaction, saleId: string) =>
  Object.fromEntries((await brokenRules(db, saleId)).map(({ rule, rows }) => [rule, rows]));

/** Does work in a transaction that is rolled back. */
async function rolledBack(work: (tx: Transaction) => Promise<void>): Promise<void> {
  const done = t.db.$transaction(async tx => {
    await work(tx);
    throw new Error(ROLLED_BACK);
  });
  await expect(done).rejects.toThrow(ROLLED_BACK);
}

const walk = (db: Transaction) => checkBooks(db).catch((error: Error) => error.message);

const newest = async (table: 'transfers' | 'accounts') => {
  const [row] = await t.db.$queryRaw<{ id: bigint }[]>(Prisma.raw(`SELECT max(id) AS id FROM ${table}`));
  return row?.id;
};

const changeWallet = (db: Transaction, { walletBuyer }: GoodMoney, by: number) => db.$executeRaw`
  UPDATE accounts SET balance_minor = balance_minor + ${by}::bigint WHERE kind = 'buyer' AND owner = ${walletBuyer}`;

const OF_THE_BOOKS = MONEY_DAMAGE.filter(({ broken }) =>
  Object.keys(broken).some(rule => RULES_OF_ALL_SALES.includes(rule)),
);

describe('damage below the checkpoint', () => {
  test.each(OF_THE_BOOKS)('is found at once in its own sale, and in others after the walk: $text', async damage => {
    const { broken, statements, ofWallet } = damage;
    const ofAllSales = Object.fromEntries(Object.entries(broken).filter(([rule]) => RULES_OF_ALL_SALES.includes(rule)));
    const idOf = ({ wallet, sale }: GoodMoney) => (ofWallet ? wallet : sale).id;
    // The wallets of the buyers, but for `other`, are those of the wallet sale.
    const audited = Object.keys(broken).includes(CURRENCIES) ? damaged.sale.id : damaged.wallet.id;
    await rolledBack(async tx => {
      for (const statement of statements(damaged)) await tx.$executeRaw(statement);
      expect(await found(tx, audited)).toMatchObject(ofAllSales);
      await passMinute(tx);
      await walk(tx);
      await passMinute(tx);
      expect(await walk(tx)).toMatch(/^the books are broken: I5 /);
      expect(await found(tx, idOf(neighbour))).toEqual(ofAllSales);
    });
  });

  test('is not found in other sales before the walk, and forgotten when it is mended', async () => {
    await rolledBack(async tx => {
      await changeWallet(tx, damaged, 1);
      expect(await found(tx, damaged.wallet.id)).toEqual({ [WRONG_BALANCE]: 1 });
      expect(await found(tx, neighbour.sale.id)).toEqual({});
      expect(await walk(tx)).toBe(`the books are broken: ${WRONG_BALANCE}: 1`);
      expect(await walk(tx)).toBe(`the books are broken: ${WRONG_BALANCE}: 1`);
      expect(await found(tx, neighbour.sale.id)).toEqual({ [WRONG_BALANCE]: 1 });
      await changeWallet(tx, damaged, -1);
      expect(await found(tx, neighbour.sale.id)).toEqual({});
      expect(await walk(tx)).toBeUndefined();
      expect(await tx.$queryRaw`SELECT FROM books_findings`).toEqual([]);
    });
  });
});

test('a balance that went wrong with a new transfer is found at once in every sale', async () => {
  await rolledBack(async tx => {
    const [capture] = await tx.$queryRaw<{ id: bigint }[]>`
      INSERT INTO transfers (kind, debit_account_id, credit_account_id, amount_minor, currency)
      SELECT 'credit', world.id, own.id, 1, 'EUR' FROM accounts world, accounts own
      WHERE world.kind = 'external' AND world.owner = 'world' AND world.currency = 'EUR'
        AND own.kind = 'buyer' AND own.owner = ${damaged.walletBuyer} RETURNING id`;
    expect(capture?.id).toBeGreaterThan((await readCheckpoint(tx)).transferId);
    expect(await found(tx, neighbour.sale.id)).toEqual({ [WRONG_BALANCE]: 1 });
  });
});

test('the checkpoint reaches the newest rows, and then a walk is complete', async () => {
  const began = Date.now();
  const { transferId, accountId } = await reachTheEnd(t.db);
  expect([transferId, accountId]).toEqual([await newest('transfers'), await newest('accounts')]);
  await checkBooks(t.db);
  expect((await readCheckpoint(t.db)).walkedAt?.getTime()).toBeGreaterThan(began - 60_000);
});

test('the checkpoint does not pass a transfer that is not committed yet', async () => {
  const { transferId } = await readCheckpoint(t.db);
  await rolledBack(async tx => {
    await creditWallets(tx as typeof t.db, ['uncommitted'], { amountMinor: 1, currency: 'EUR' });
    await creditWallets(t.db, ['committed'], { amountMinor: 1, currency: 'EUR' });
    await passMinute(t.db);
    await checkBooks(t.db);
    expect((await readCheckpoint(t.db)).seenTransferId).toBe(await newest('transfers'));
    await checkBooks(t.db);
    expect((await readCheckpoint(t.db)).transferId).toBe(transferId);
  });
});

describe('books of many pages', () => {
  test('a transfer on the last page of new ones is found, and the checkpoint reaches it', async () => {
    await rolledBack(async tx => {
      const insert = (count: number, currency: string) => tx.$executeRaw`
        INSERT INTO transfers (kind, debit_account_id, credit_account_id, amount_minor, currency)
        SELECT 'credit', world.id, shop.id, 1, ${currency} FROM generate_series(1, ${count}::int), accounts world, accounts shop
        WHERE world.kind = 'external' AND world.owner = 'world' AND world.currency = 'EUR'
          AND shop.kind = 'shop' AND shop.currency = 'EUR'`;
      await insert(11_000, 'EUR');
      await insert(1, 'JPY');
      expect(await found(tx, neighbour.sale.id)).toEqual({ [CURRENCIES]: 1 });
      await walk(tx);
      for (let round = 0; round < 2; round += 1) {
        await passMinute(tx);
        await walk(tx);
      }
      const { transferId, seenTransferId } = await readCheckpoint(tx);
      expect(transferId).toBe(seenTransferId);
      expect(await found(tx, neighbour.sale.id)).toEqual({ [CURRENCIES]: 1 });
    });
  });

  test('the wallet of the last buyer of a large sale is read again', async () => {
    const { id } = await openTestSale(t);
    await creditWallets(t.db, ['zz-last'], { amountMinor: 1, currency: 'EUR' });
    await t.db.$executeRaw`
      INSERT INTO orders (id, sale_id, buyer_id, unit, status, reason, amount_minor, currency, pay_by)
      SELECT gen_random_uuid(), ${id}, CASE i WHEN 2500 THEN 'zz-last' ELSE 'buyer-' || i END, 1, 'void', 'lost', 1, 'EUR', now()
      FROM generate_series(1, 2500) i`;
    await reachTheEnd(t.db);
    await rolledBack(async tx => {
      await tx.$executeRaw`UPDATE accounts SET balance_minor = 2 WHERE owner = 'zz-last'`;
      expect(await found(tx, neighbour.sale.id)).toEqual({});
      expect(await found(tx, id)).toEqual({ [WRONG_BALANCE]: 1 });
    });
  });
});

test('two checks at once do no harm', async () => {
  await creditWallets(t.db, [`buyer-${randomUUID()}`], { amountMinor: 1, currency: 'EUR' });
  await Promise.all([reachTheEnd(t.db), reachTheEnd(t.db)]);
  expect((await reachTheEnd(t.db)).transferId).toBe(await newest('transfers'));
});
