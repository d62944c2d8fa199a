import type { LateMoney, ProviderName, Sale, SaleState, Settlement } from '../rules/sale.js';
import { type Database, Prisma, type SaleRow } from './database.js';

/**
 * Inserts a sale.
 *
 * @returns false when a sale with this id exists: then nothing changed
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

/** Reads a sale; undefined when it does not exist. */
export async function readSale(db: Database, saleId: string): Promise<Sale | undefined> {
  const row = await db.sale.findUnique({ where: { id: saleId } });
  return row ? saleOf(row) : undefined;
}

/**
 * Reads sales, newest first.
 *
 * @param limit the most rows; all without it
 */
export async function readSales(db: Database, limit?: number): Promise<Sale[]> {
  const rows = await db.sale.findMany({ orderBy: { createdAt: 'desc' }, ...(limit ? { take: limit } : {}) });
  return rows.map(saleOf);
}

/**
 * Days that a sale stays in Redis after its last payment deadline, so that its buyers can pay and look up their orders.
 */
export const KEEP_DAYS = 7;

/** The latest possible payment deadline of a sale that the statement calls `s`. */
export const LAST_DUE = Prisma.sql`(s.closes_at + s.pay_within_seconds * interval '1 second')`;

/**
 * Sales whose last deadline is before this are no longer kept in Redis. Uses Postgres's clock: a worker with a wrong
 * clock would prune a live sale.
 */
export const KEPT_SINCE = Prisma.sql`clock_timestamp() - ${KEEP_DAYS} * interval '1 day'`;

/** Reads the sales that Redis should have, newest first. */
export async function readRecentSales(db: Database): Promise<Sale[]> {
  const kept = await db.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT s.id FROM sales s WHERE ${LAST_DUE} > ${KEPT_SINCE}`,
  );
  const ids = kept.map(({ id }) => id);
  const rows = await db.sale.findMany({ where: { id: { in: ids } }, orderBy: { createdAt: 'desc' } });
  return rows.map(saleOf);
}

/** Returns those of the given sales that no longer need to be in Redis. Sales unknown to Postgres are not returned. */
export async function readLongOver(db: Database, saleIds: string[]): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT s.id FROM sales s WHERE s.id = ANY(${saleIds}::text[]) AND ${LAST_DUE} <= ${KEPT_SINCE}`,
  );
  return rows.map(({ id }) => id);
}

/** Tells whether Redis has dropped a sale, as its last deadline passed {@link KEEP_DAYS} days ago. */
export async function hasLeftRedis(db: Database, saleId: string): Promise<boolean> {
  return (await readLongOver(db, [saleId])).length === 1;
}

/**
 * A change of a sale by the operator. With a `generation`, units are added only to that generation of the sale, hence
 * once.
 */
export type SaleUpdate = { state: SaleState } | { addUnits: number; generation?: number | undefined };

/**
 * Changes a sale. Each change makes a new generation.
 *
 * @returns false when the sale is closed, or is no longer the generation that the operator saw
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
 * Raises a sale's generation above one that Redis knows. An older generation means that Postgres was restored from a
 * copy; without this, Redis would ignore every later change.
 *
 * @param generation the latest one that Redis knows
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
