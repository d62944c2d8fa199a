import { PROVIDER_NAMES } from '../../rules/sale.js';
import { type Database, Prisma } from '../database.js';

/** Where the money of a wallet comes from; the money of every provider has an outside of its own. */
const OUTSIDE = 'world';

/**
 * Makes the accounts that every sale in a currency needs. They exist before the first payment, so paying never creates one.
 *
 * @param db the database
 * @param currency ISO 4217
 */
export async function insertShopAccounts(db: Database, currency: string): Promise<void> {
  await db.account.createMany({
    data: [
      { kind: 'shop', owner: 'shop', currency },
      ...[OUTSIDE, ...PROVIDER_NAMES].map(owner => ({ kind: 'external', owner, currency })),
    ],
    skipDuplicates: true,
  });
}

/**
 * Puts money into buyers' wallets, from outside.
 *
 * @param db the database
 * @param buyerIds whose
 * @param amountMinor how much each, in minor units
 * @param currency ISO 4217
 * @throws what Prisma throws; not safe to repeat when the outcome is unknown: look at the balance first
 */
export async function creditWallets(
  db: Database,
  buyerIds: string[],
  amountMinor: number,
  currency: string,
): Promise<void> {
  await insertShopAccounts(db, currency);
  await db.$executeRaw(Prisma.sql`
    WITH credited AS (
      INSERT INTO accounts AS a (kind, owner, currency, balance_minor)
      SELECT 'buyer', buyer_id, ${currency}, ${amountMinor}::bigint
      FROM unnest(${buyerIds}::text[]) AS b (buyer_id) ORDER BY buyer_id
      ON CONFLICT (kind, owner, currency) DO UPDATE SET balance_minor = a.balance_minor + EXCLUDED.balance_minor
      RETURNING a.id)
    INSERT INTO transfers (kind, debit_account_id, credit_account_id, amount_minor, currency)
    SELECT 'credit', world.id, credited.id, ${amountMinor}::bigint, ${currency}
    FROM credited JOIN accounts world ON world.kind = 'external' AND world.owner = ${OUTSIDE} AND world.currency = ${currency}`);
}

/**
 * Makes sure that buyers have a wallet, if only an empty one: who pays nothing pays from it as well.
 *
 * @param db the database
 * @param buyerIds whose
 * @param currency ISO 4217
 */
export async function insertWallets(db: Database, buyerIds: string[], currency: string): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    INSERT INTO accounts (kind, owner, currency, balance_minor)
    SELECT 'buyer', buyer_id, ${currency}, 0 FROM unnest(${buyerIds}::text[]) AS b (buyer_id) ORDER BY buyer_id
    ON CONFLICT DO NOTHING`);
}

/**
 * @param db the database
 * @param buyerId whose wallet
 * @param currency ISO 4217
 * @returns the balance in minor units; 0 without a wallet
 */
export async function readBalance(db: Database, buyerId: string, currency: string): Promise<number> {
  const account = await db.account.findUnique({
    where: { kind_owner_currency: { kind: 'buyer', owner: buyerId, currency } },
  });
  return Number(account?.balanceMinor ?? 0n);
}

/** What a buyer has, in one currency. */
export interface Balance {
  currency: string;
  balanceMinor: number;
}

/**
 * @param db the database
 * @param buyerId whose
 * @returns a balance for each currency that the buyer ever had
 */
export async function readBalances(db: Database, buyerId: string): Promise<Balance[]> {
  const accounts = await db.account.findMany({
    where: { kind: 'buyer', owner: buyerId },
    orderBy: { currency: 'asc' },
  });
  return accounts.map(({ currency, balanceMinor }) => ({ currency, balanceMinor: Number(balanceMinor ?? 0n) }));
}

/** What an order was paid with. */
export interface Capture {
  amountMinor: number;
  currency: string;
  /** Whether it was given back. */
  refunded: boolean;
}

/**
 * @param db the database
 * @param orderId the order
 * @returns its capture, or undefined when it was never paid
 */
export async function readCapture(db: Database, orderId: string): Promise<Capture | undefined> {
  const transfers = await db.transfer.findMany({ where: { orderId } });
  const capture = transfers.find(({ kind }) => kind === 'capture');
  if (!capture) return undefined;
  const { amountMinor, currency } = capture;
  return { amountMinor: Number(amountMinor), currency, refunded: transfers.some(({ kind }) => kind === 'refund') };
}
