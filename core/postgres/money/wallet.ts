import { PROVIDER_NAMES } from '../../rules/sale.js';
import { type Database, Prisma } from '../database.js';

/** The owner of the account that pays credits into wallets. Each payment provider has an outside account of its own. */
const OUTSIDE = 'world';

/**
 * Inserts the accounts of the shop, the payment providers and the outside world for a currency. They exist before the
 * first payment, so paying never inserts one.
 *
 * @param currency ISO 4217 code
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

/** The money that each wallet gets, in minor units of an ISO 4217 currency. */
export interface Credit {
  amountMinor: number;
  currency: string;
}

/**
 * Credits buyers' wallets with money from outside.
 *
 * @throws Prisma's error. Not idempotent: after an unknown outcome, read the balance first.
 */
export async function creditWallets(
  db: Database,
  buyerIds: string[],
  { amountMinor, currency }: Credit,
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
 * Inserts empty wallets for buyers who have none. Even an order that costs nothing is paid from a wallet.
 *
 * @param currency ISO 4217 code
 */
export async function insertWallets(db: Database, buyerIds: string[], currency: string): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    INSERT INTO accounts (kind, owner, currency, balance_minor)
    SELECT 'buyer', buyer_id, ${currency}, 0 FROM unnest(${buyerIds}::text[]) AS b (buyer_id) ORDER BY buyer_id
    ON CONFLICT DO NOTHING`);
}

/**
 * Reads the balance of a wallet, in minor units; 0 without a wallet.
 *
 * @param currency ISO 4217 code
 */
export async function readBalance(db: Database, buyerId: string, currency: string): Promise<number> {
  const account = await db.account.findUnique({
    where: { kind_owner_currency: { kind: 'buyer', owner: buyerId, currency } },
  });
  return Number(account?.balanceMinor ?? 0n);
}

/** The balance of a buyer's wallet in one currency. */
export interface Balance {
  currency: string;
  balanceMinor: number;
}

/** Reads the balances of a buyer's wallets, one for each currency. */
export async function readBalances(db: Database, buyerId: string): Promise<Balance[]> {
  const accounts = await db.account.findMany({
    where: { kind: 'buyer', owner: buyerId },
    orderBy: { currency: 'asc' },
  });
  return accounts.map(({ currency, balanceMinor }) => ({ currency, balanceMinor: Number(balanceMinor ?? 0n) }));
}

/** The money that paid for an order. */
export interface Capture {
  amountMinor: number;
  currency: string;
  /** The total that was returned of it to the buyer, in minor units. */
  refundedMinor: number;
}

/** Reads the capture of an order, which is the money that paid for it; undefined when it was never paid. */
export async function readCapture(db: Database, orderId: string): Promise<Capture | undefined> {
  const transfers = await db.transfer.findMany({ where: { orderId } });
  const capture = transfers.find(({ kind }) => kind === 'capture');
  if (!capture) return undefined;
  const { amountMinor, currency } = capture;
  const refunds = transfers.filter(({ kind }) => kind === 'refund');
  const refundedMinor = refunds.reduce((total, refund) => total + Number(refund.amountMinor), 0);
  return { amountMinor: Number(amountMinor), currency, refundedMinor };
}
