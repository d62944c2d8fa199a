import type { Entry } from '../../draw/lot.js';
import { type Database, Prisma } from '../database.js';

/** The entry of a buyer as Redis last had it. */
export interface ChangedEntry extends Entry {
  /** The count of this change among those of all entries of the sale. */
  change: number;
  /** Whether the buyer has not left the line. */
  isWaiting: boolean;
  /** The group with which the buyer joined. */
  group?: string | undefined;
}

/**
 * Stores entries of a sale. Each is stored once, and later changes of it only if they are later: a worker that stood still does no harm.
 *
 * @returns the entries that changed after the draw was closed, and that the published list lacks; also those that were stored before, as
 *   the worker that did may have died since
 */
export async function storeEntries(
  db: Database,
  saleId: string,
  entries: readonly ChangedEntry[],
): Promise<StoredEntry[]> {
  const numbers = entries.map(({ number }) => BigInt(number));
  const buyerIds = entries.map(({ buyerId }) => buyerId);
  const changes = entries.map(({ change }) => BigInt(change));
  const waiting = entries.map(({ isWaiting }) => isWaiting);
  const groups = entries.map(({ group }) => group ?? null);
  // The lock lets the draw be closed only before or after this statement.
  const rows = await db.$queryRaw<{ number: bigint; buyer_id: string; is_waiting: boolean }[]>(Prisma.sql`
    WITH draw AS (SELECT closed_at IS NULL AS is_open FROM draws WHERE sale_id = ${saleId} FOR SHARE),
    n AS (SELECT * FROM unnest(${numbers}::bigint[], ${buyerIds}::text[], ${changes}::bigint[], ${waiting}::boolean[],
                                     ${groups}::text[]) AS n (number, buyer_id, change, is_waiting, buyer_group)),
    stored AS (
      INSERT INTO entries AS e (sale_id, number, buyer_id, change, is_in, is_waiting, buyer_group)
      SELECT ${saleId}, n.number, n.buyer_id, n.change, n.is_waiting AND draw.is_open, n.is_waiting, n.buyer_group
      FROM draw, n
      ON CONFLICT (sale_id, buyer_id) DO UPDATE
      SET change = excluded.change, is_waiting = excluded.is_waiting, buyer_group = excluded.buyer_group,
          is_in = CASE WHEN (SELECT is_open FROM draw) THEN excluded.is_in ELSE e.is_in END
      WHERE e.change < excluded.change
      RETURNING e.number, e.buyer_id, e.is_in, e.is_waiting)
    SELECT s.number, s.buyer_id, s.is_waiting FROM stored s, draw WHERE NOT s.is_in AND NOT draw.is_open
    UNION ALL SELECT e.number, e.buyer_id, e.is_waiting
    FROM draw, n JOIN entries e ON e.sale_id = ${saleId} AND e.buyer_id = n.buyer_id
    WHERE e.change >= n.change AND NOT e.is_in AND NOT draw.is_open`);
  return rows.map(({ number, buyer_id: buyerId, is_waiting: isWaiting }) => ({
    number: Number(number),
    buyerId,
    isWaiting,
  }));
}

/** An entry as Postgres has it. */
export interface StoredEntry extends Entry {
  /** Whether the buyer has not left the line. */
  isWaiting: boolean;
  /** The group with which the buyer joined. */
  group?: string | undefined;
}

/** The numbers of one page, whose entries are some 10 ms of Postgres. Numbers jump when a sale is rebuilt. */
const PAGE = 5_000;

/**
 * The entries to read. `published`: those in the published list. `late`: those that came after the draw was closed.
 */
export type WhichEntries = 'published' | 'late' | 'all';

const CONDITIONS: Record<WhichEntries, Prisma.Sql> = {
  published: Prisma.sql`AND is_in`,
  late: Prisma.sql`AND is_waiting AND NOT is_in`,
  all: Prisma.empty,
};

/**
 * Reads entries of a sale in the order of their numbers, by pages. They come as one text, as thousands of rows cost the client more.
 *
 * Each page is a range of numbers. With a limit instead, a Postgres that has no statistics yet of entries of the last minute sorts all of
 * them for each page.
 */
export async function* entryPages(db: Database, saleId: string, which: WhichEntries): AsyncGenerator<StoredEntry[]> {
  const of = Prisma.sql`FROM entries WHERE sale_id = ${saleId} ${CONDITIONS[which]}`;
  for (let after = 0; ; after += PAGE) {
    const [row] = await db.$queryRaw<{ entries: string | null }[]>(Prisma.sql`
      SELECT string_agg(concat_ws(' ', number, is_waiting::int, buyer_id, buyer_group), ',' ORDER BY number, buyer_id) AS entries
      ${of} AND number > ${BigInt(after)} AND number <= ${BigInt(after + PAGE)}`);
    if (row?.entries != null) yield row.entries.split(',').map(parseEntry);
    else {
      const [next] = await db.$queryRaw<{ number: bigint | null }[]>(
        Prisma.sql`SELECT min(number) AS number ${of} AND number > ${BigInt(after + PAGE)}`,
      );
      if (next?.number == null) return;
      after = Number(next.number) - 1 - PAGE;
    }
  }
}

/** An id has no space and no comma (ID_PATTERN). */
function parseEntry(text: string): StoredEntry {
  const [number, isWaiting, buyerId = '', group] = text.split(' ');
  return { number: Number(number), buyerId, isWaiting: isWaiting === '1', group };
}

/** Returns those of some buyers who have joined a sale and have not left. */
export async function readWaiting(db: Database, saleId: string, buyerIds: readonly string[]): Promise<string[]> {
  const where = { saleId, isWaiting: true, buyerId: { in: [...buyerIds] } };
  return (await db.entry.findMany({ where, select: { buyerId: true } })).map(({ buyerId }) => buyerId);
}

/** The counts of the entries of a sale. */
export interface EntryCounts {
  /** The buyers who have not left the line. */
  waiting: number;
  /** Those of them whose entries came after the draw was closed, so that the published list lacks them. */
  late: number;
}

/** Counts the entries of a sale by what became of them. */
export async function readEntryCounts(db: Database, saleId: string): Promise<EntryCounts> {
  const [row] = await db.$queryRaw<Record<keyof EntryCounts, bigint>[]>(Prisma.sql`
    SELECT count(*) FILTER (WHERE is_waiting) AS waiting,
           count(*) FILTER (WHERE is_waiting AND NOT is_in AND d.closed_at IS NOT NULL) AS late
    FROM entries e JOIN draws d ON d.sale_id = e.sale_id WHERE e.sale_id = ${saleId}`);
  return { waiting: Number(row?.waiting ?? 0), late: Number(row?.late ?? 0) };
}

/** Reads the highest number and change of the entries of a sale; 0 for none. */
export async function readLastEntry(db: Database, saleId: string): Promise<{ number: number; change: number }> {
  const [row] = await db.$queryRaw<{ number: bigint | null; change: bigint | null }[]>(
    Prisma.sql`SELECT max(number) AS number, max(change) AS change FROM entries WHERE sale_id = ${saleId}`,
  );
  return { number: Number(row?.number ?? 0), change: Number(row?.change ?? 0) };
}

/** Counts the entries of a sale. */
export async function countEntries(db: Database, saleId: string): Promise<number> {
  return db.entry.count({ where: { saleId } });
}

/** Returns those of some buyers whose entries Postgres has. */
export async function readStoredBuyers(db: Database, saleId: string, buyerIds: readonly string[]): Promise<string[]> {
  const rows = await db.$queryRaw<{ buyer_id: string }[]>(
    Prisma.sql`SELECT buyer_id FROM entries WHERE sale_id = ${saleId} AND buyer_id = ANY(${[...buyerIds]}::text[])`,
  );
  return rows.map(({ buyer_id: buyerId }) => buyerId);
}
