import type { LateMoney, OpeningKind, ProviderName, Sale, SaleState, Settlement } from '../rules/sale.js';
import { type Database, Prisma, type SaleRow } from './database.js';
import type { NewDraw } from './draws/draws.js';
import { NOW } from './now.js';

/**
 * Inserts a sale into Postgres.
 *
 * @param draw of a sale whose line has an order: a row of its own, in the same transaction
 * @returns false when a sale with this id exists: then nothing changed
 */
export async function insertSale(
  db: Database,
  sale: Omit<Sale, 'state' | 'generation'>,
  draw?: NewDraw,
): Promise<boolean> {
  const { opensAtMs, closesAtMs, joinsAtMs, announceAtMs, unitSeed, priceMinor, ...rest } = sale;
  const row = {
    ...rest,
    priceMinor: BigInt(priceMinor),
    opensAt: new Date(opensAtMs),
    closesAt: new Date(closesAtMs),
    joinsAt: joinsAtMs === undefined ? null : new Date(joinsAtMs),
    announceAt: announceAtMs === undefined ? null : new Date(announceAtMs),
    unitSeed: unitSeed === undefined ? null : Buffer.from(unitSeed, 'hex'),
    retryPayWithinSeconds: sale.retryPayWithinSeconds ?? null,
  };
  return db.$transaction(async transaction => {
    const { count } = await transaction.sale.createMany({ data: [row], skipDuplicates: true });
    if (count === 1 && draw) await transaction.draw.create({ data: { ...draw, saleId: sale.id } });
    return count === 1;
  });
}

/** Reads a sale from Postgres; undefined when it does not exist. */
export async function readSale(db: Database, saleId: string): Promise<Sale | undefined> {
  const row = await db.sale.findUnique({ where: { id: saleId } });
  return row ? saleOf(row) : undefined;
}

/**
 * Reads sales from Postgres, newest first.
 *
 * @param limit the most rows; all without it
 */
export async function readSales(db: Database, limit?: number): Promise<Sale[]> {
  const rows = await db.sale.findMany({ orderBy: { createdAt: 'desc' }, ...(limit ? { take: limit } : {}) });
  return rows.map(saleOf);
}

/**
 * Days that a sale stays in Redis after its last payment deadline, so that buyers can look up their orders.
 */
export const KEEP_DAYS = 7;

/** SQL for the latest possible payment deadline of a sale, in a query that calls the table `sales` `s`. */
export const LAST_DUE = Prisma.sql`(s.closes_at + s.pay_within_seconds * interval '1 second')`;

/**
 * Sales whose last payment deadline is before this time are no longer kept in Redis. Postgres's clock decides, because
 * a worker with a wrong clock would prune a live sale.
 */
export const KEPT_SINCE = Prisma.sql`${NOW} - ${KEEP_DAYS} * interval '1 day'`;

/** A sale that Redis should have, with the facts that decide when a worker visits it. */
export type RecentSale = Pick<Sale, 'id' | 'state' | 'units' | 'opensAtMs' | 'closesAtMs' | 'generation'>;

/**
 * Reads the sales that Redis should have, newest first. Redis keeps a sale for {@link KEEP_DAYS} days after its last
 * payment deadline. They come as one text, because thousands of rows cost the client more than the rest of a round.
 */
export async function readRecentSales(db: Database): Promise<RecentSale[]> {
  const [row] = await db.$queryRaw<{ sales: string | null }[]>(Prisma.sql`
    SELECT string_agg(concat_ws(' ', s.id, s.state, s.units, s.generation, ${msOf(Prisma.sql`s.opens_at`)},
                                ${msOf(Prisma.sql`s.closes_at`)}), ',' ORDER BY s.created_at DESC) AS sales
    FROM sales s WHERE ${LAST_DUE} > ${KEPT_SINCE}`);
  return (row?.sales?.split(',') ?? []).map(parseRecent);
}

const msOf = (time: Prisma.Sql): Prisma.Sql => Prisma.sql`(extract(epoch FROM ${time}) * 1000)::bigint`;

/** An id has no space and no comma (ID_PATTERN), and neither has any other part. */
function parseRecent(text: string): RecentSale {
  const [id = '', state, units, generation, opensAtMs, closesAtMs] = text.split(' ');
  return {
    id,
    state: state as SaleState,
    units: Number(units),
    generation: Number(generation),
    opensAtMs: Number(opensAtMs),
    closesAtMs: Number(closesAtMs),
  };
}

/** The most changed payments that are read at once. */
const NEW_MONEY_MAX = 20_000;

/** Reads the ids of the sales whose payments have changed within a time, in s, by the newest {@link NEW_MONEY_MAX}. */
export async function readSalesWithNewMoney(db: Database, seconds: number): Promise<string[]> {
  // A join would tempt Postgres to read all orders.
  const rows = await db.$queryRaw<{ sale_id: string }[]>(Prisma.sql`
    SELECT DISTINCT o.sale_id
    FROM (SELECT order_id FROM payments WHERE updated_at > ${NOW} - ${seconds} * interval '1 second'
          ORDER BY updated_at DESC LIMIT ${NEW_MONEY_MAX}) p,
         LATERAL (SELECT sale_id FROM orders WHERE id = p.order_id LIMIT 1) o`);
  return rows.map(({ sale_id: saleId }) => saleId);
}

/**
 * Returns those ids whose sales need not be in Redis, {@link KEEP_DAYS} days after their last payment deadline. Sales
 * unknown to Postgres are not returned.
 */
export async function readLongOver(db: Database, saleIds: string[]): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT s.id FROM sales s WHERE s.id = ANY(${saleIds}::text[]) AND ${LAST_DUE} <= ${KEPT_SINCE}`,
  );
  return rows.map(({ id }) => id);
}

/** Tells whether Redis no longer keeps a sale, because its last payment deadline passed {@link KEEP_DAYS} days ago. */
export async function hasLeftRedis(db: Database, saleId: string): Promise<boolean> {
  return (await readLongOver(db, [saleId])).length === 1;
}

/**
 * An operator's change of a sale: a new state, or more units. `generation` counts such changes. If it is set and no
 * longer current, no units are added, so a repeated request adds them once.
 */
export type SaleUpdate = { state: SaleState } | { addUnits: number; generation?: number | undefined };

/**
 * Changes a sale in Postgres and raises its generation, which counts an operator's changes.
 *
 * @returns false when the sale is closed, or has changed since the operator read it
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
 * Raises a sale's generation, which counts an operator's changes, above the one that Redis knows. A lower generation in
 * Postgres means that Postgres was restored from a backup. Without this, Redis would ignore every later change as
 * stale.
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
    opening: row.opening as OpeningKind,
    joinsAtMs: row.joinsAt?.getTime(),
    onePurchaseAtATime: row.onePurchaseAtATime,
    minSecondsBetweenPurchases: row.minSecondsBetweenPurchases,
    unpaidLimit: row.unpaidLimit,
    retryPayWithinSeconds: row.retryPayWithinSeconds ?? undefined,
    perGroup: row.perGroup,
    needsPass: row.needsPass,
    passWork: row.passWork,
    announceAtMs: row.announceAt?.getTime(),
    coarseStock: row.coarseStock,
    unitSeed: row.unitSeed ? Buffer.from(row.unitSeed).toString('hex') : undefined,
    state: row.state as SaleState,
    generation: row.generation,
  };
}
