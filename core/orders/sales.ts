import type { LateMoney, ProviderName, Sale, SaleState, Settlement } from '../sale.js';
import { type Database, Prisma } from './database.js';
import type { Sale as SaleRow } from './generated/client.js';

/**
 * Stores a new sale.
 *
 * @param db the database
 * @param sale the sale
 * @returns false when there is one with this id already; then nothing changed
 */
export async function createSale(db: Database, sale: Omit<Sale, 'state' | 'generation'>): Promise<boolean> {
  const { opensAtMs, closesAtMs, priceMinor, ...rest } = sale;
  const row = {
    ...rest,
    priceMinor: BigInt(priceMinor),
    opensAt: new Date(opensAtMs),
    closesAt: new Date(closesAtMs),
  };
  const { count } = await db.sale.createMany({ data: [row], skipDuplicates: true });
  return count === 1;
}

/**
 * @param db the database
 * @param saleId the sale
 * @returns the sale, or undefined
 */
export async function readSale(db: Database, saleId: string): Promise<Sale | undefined> {
  const row = await db.sale.findUnique({ where: { id: saleId } });
  return row ? saleOf(row) : undefined;
}

/**
 * @param db the database
 * @param limit how many, at most; all of them if left out
 * @returns the sales, the newest first
 */
export async function listSales(db: Database, limit?: number): Promise<Sale[]> {
  const rows = await db.sale.findMany({ orderBy: { createdAt: 'desc' }, ...(limit ? { take: limit } : {}) });
  return rows.map(saleOf);
}

/** Sales stay in Redis for this many days after they end, so that their buyers can look up where they stand. */
export const KEEP_DAYS = 7;

/** When a sale must have ended to have left Redis: by Postgres's clock, as a worker whose own is wrong would prune what is being sold. */
export const KEPT_SINCE = Prisma.sql`clock_timestamp() - ${KEEP_DAYS} * interval '1 day'`;

/**
 * @param db the database
 * @returns the sales that Redis should have, the newest first
 */
export async function listRecentSales(db: Database): Promise<Sale[]> {
  const [kept] = await db.$queryRaw<{ since: Date }[]>(Prisma.sql`SELECT ${KEPT_SINCE} AS since`);
  const closesAt = { gt: kept?.since ?? new Date(0) };
  const rows = await db.sale.findMany({ where: { closesAt }, orderBy: { createdAt: 'desc' } });
  return rows.map(saleOf);
}

/**
 * @param db the database
 * @param saleId a sale
 * @returns whether it ended so long ago that Redis doesn't have it any more
 */
export async function hasLeftRedis(db: Database, saleId: string): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>(
    Prisma.sql`SELECT FROM sales WHERE id = ${saleId} AND closes_at <= ${KEPT_SINCE}`,
  );
  return rows.length === 1;
}

/** What the operator may change of a sale. */
export type SaleUpdate = { state: SaleState } | { addUnits: number };

/**
 * Changes a sale; each change is a new generation of it.
 *
 * @param db the database
 * @param saleId the sale
 * @param update what changes
 * @returns the sale as it is now, or undefined when there is none; a closed sale stays closed and as it is
 */
export async function updateSale(db: Database, saleId: string, update: SaleUpdate): Promise<Sale | undefined> {
  const data = 'state' in update ? { state: update.state } : { units: { increment: update.addUnits } };
  await db.sale.updateMany({
    where: { id: saleId, state: { not: 'closed' } },
    data: { ...data, generation: { increment: 1 } },
  });
  return readSale(db, saleId);
}

function saleOf(row: SaleRow): Sale {
  return {
    id: row.id,
    title: row.title,
    priceMinor: Number(row.priceMinor),
    currency: row.currency,
    units: row.units,
    opensAtMs: row.opensAt.getTime(),
    closesAtMs: row.closesAt.getTime(),
    payWithinSeconds: row.payWithinSeconds,
    settlement: row.settlement as Settlement,
    provider: row.provider as ProviderName,
    lateMoney: row.lateMoney as LateMoney,
    standbyFactor: row.standbyFactor,
    onePurchaseAtATime: row.onePurchaseAtATime,
    minSecondsBetweenPurchases: row.minSecondsBetweenPurchases,
    state: row.state as SaleState,
    generation: row.generation,
  };
}
