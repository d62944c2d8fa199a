import type { LateMoney, ProviderName, Sale, SaleState, Settlement } from '../sale.js';
import type { Database } from './database.js';
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
 * @returns every sale, the newest first
 */
export async function listSales(db: Database): Promise<Sale[]> {
  return (await db.sale.findMany({ orderBy: { createdAt: 'desc' } })).map(saleOf);
}

/** Sales stay in Redis for this many days after they end, so that their buyers can look up where they stand. */
export const KEEP_DAYS = 7;

/**
 * @param db the database
 * @returns the sales that Redis should have, the newest first
 */
export async function listRecentSales(db: Database): Promise<Sale[]> {
  const since = new Date(Date.now() - KEEP_DAYS * 24 * 60 * 60 * 1_000);
  const rows = await db.sale.findMany({ where: { closesAt: { gt: since } }, orderBy: { createdAt: 'desc' } });
  return rows.map(saleOf);
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
