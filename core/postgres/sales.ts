import type { LateMoney, ProviderName, Sale, SaleState, Settlement } from '../rules/sale.js';
import { type Database, Prisma, type SaleRow } from './database.js';

/**
 * Stores a new sale.
 *
 * @param db the database
 * @param sale the sale
 * @returns false when there is one with this id already; then nothing changed
 */
export async function insertSale(db: Database, sale: Omit<Sale, 'state' | 'generation'>): Promise<boolean> {
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
export async function readSales(db: Database, limit?: number): Promise<Sale[]> {
  const rows = await db.sale.findMany({ orderBy: { createdAt: 'desc' }, ...(limit ? { take: limit } : {}) });
  return rows.map(saleOf);
}

/** Sales stay in Redis for this many days after their last order is due, so that their buyers can pay, and look up where they stand. */
export const KEEP_DAYS = 7;

/** When the last order of the sale that a statement calls `s` is due, at the latest. */
export const LAST_DUE = Prisma.sql`(s.closes_at + s.pay_within_seconds * interval '1 second')`;

/** When that must have been for a sale to have left Redis: by Postgres's clock, as a worker whose own is wrong would prune what is being sold. */
export const KEPT_SINCE = Prisma.sql`clock_timestamp() - ${KEEP_DAYS} * interval '1 day'`;

/**
 * @param db the database
 * @returns the sales that Redis should have, the newest first
 */
export async function readRecentSales(db: Database): Promise<Sale[]> {
  const kept = await db.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT s.id FROM sales s WHERE ${LAST_DUE} > ${KEPT_SINCE}`,
  );
  const ids = kept.map(({ id }) => id);
  const rows = await db.sale.findMany({ where: { id: { in: ids } }, orderBy: { createdAt: 'desc' } });
  return rows.map(saleOf);
}

/**
 * @param db the database
 * @param saleIds sales
 * @returns those of them that ended so long ago that Redis needn't have them any more; none that Postgres doesn't know
 */
export async function readLongOver(db: Database, saleIds: string[]): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT s.id FROM sales s WHERE s.id = ANY(${saleIds}::text[]) AND ${LAST_DUE} <= ${KEPT_SINCE}`,
  );
  return rows.map(({ id }) => id);
}

/**
 * @param db the database
 * @param saleId a sale
 * @returns whether it ended so long ago that Redis doesn't have it any more
 */
export async function hasLeftRedis(db: Database, saleId: string): Promise<boolean> {
  return (await readLongOver(db, [saleId])).length === 1;
}

/** What the operator may change of a sale. With a `generation`, units are only added to the sale as it was then: once. */
export type SaleUpdate = { state: SaleState } | { addUnits: number; generation?: number | undefined };

/**
 * Changes a sale; each change is a new generation of it.
 *
 * @param db the database
 * @param saleId the sale
 * @param update what changes
 * @returns whether it changed: not if it is closed, or isn't any more what the operator saw
 */
export async function updateSale(db: Database, saleId: string, update: SaleUpdate): Promise<boolean> {
  const [data, seen] =
    'state' in update
      ? [{ state: update.state }, undefined]
      : [{ units: { increment: update.addUnits } }, update.generation];
  const { count } = await db.sale.updateMany({
    where: { id: saleId, state: { not: 'closed' }, ...(seen === undefined ? {} : { generation: seen }) },
    data: { ...data, generation: { increment: 1 } },
  });
  return count === 1;
}

/**
 * Makes a sale's generation later than one that Redis has heard of, should it be earlier: then Postgres has come back from an older
 * copy of itself, and without this Redis would go on refusing everything it says of the sale.
 *
 * @param db the database
 * @param saleId the sale
 * @param generation the latest that Redis has heard of
 */
export async function overtakeGeneration(db: Database, saleId: string, generation: number): Promise<void> {
  await db.sale.updateMany({
    where: { id: saleId, generation: { lt: generation } },
    data: { generation: generation + 1 },
  });
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
