import { randomBytes } from 'node:crypto';
import { type Database, Prisma } from '../database.js';
import { NOW } from '../now.js';

/** The public values that a draw may use, in words that anybody understands. */
export interface ValueSources {
  /** The value that will be used; undefined for none. */
  valueSource?: string | undefined;
  /** The one that is used if the first one never comes. */
  valueSubstitute?: string | undefined;
  /** The round of the beacon that workers ask for the value. */
  beaconRound?: number | undefined;
}

/** A draw as it is created with its sale: its secrets, and the public values that it may use. */
export interface NewDraw {
  seed: Uint8Array<ArrayBuffer>;
  saltKey: Uint8Array<ArrayBuffer>;
  valueSource: string | null;
  valueSubstitute: string | null;
  beaconRound: bigint | null;
}

/** The bytes of the secret seed, and of the key that makes salts. */
const SECRET_BYTES = 32;

/** Makes a draw with new secrets. */
export function newDraw({ valueSource, valueSubstitute, beaconRound }: ValueSources): NewDraw {
  return {
    seed: new Uint8Array(randomBytes(SECRET_BYTES)),
    saltKey: new Uint8Array(randomBytes(SECRET_BYTES)),
    valueSource: valueSource ?? null,
    valueSubstitute: valueSubstitute ?? null,
    beaconRound: beaconRound === undefined ? null : BigInt(beaconRound),
  };
}

/** The list of a draw that is published: the number of its entries, and the root of its Merkle tree. */
export interface DrawnList {
  entries: number;
  root: Buffer;
}

/** The public value that decided the order of a draw. */
export interface DrawnValue {
  /** '' for a draw without a public value. */
  value: string;
  isSubstitute: boolean;
}

/** A draw as Postgres has it. */
export interface Draw extends ValueSources {
  saleId: string;
  seed: Buffer;
  saltKey: Buffer;
  closedAtMs: number | undefined;
  /** The published list; undefined until the draw was closed and its root computed. */
  list: DrawnList | undefined;
  decided: DrawnValue | undefined;
  isDealt: boolean;
}

/** Reads the draw of a sale; undefined for a sale with a rush. */
export async function readDraw(db: Database, saleId: string): Promise<Draw | undefined> {
  const row = await db.draw.findUnique({ where: { saleId } });
  if (!row) return undefined;
  const { seed, saltKey, entries, root, value, isSubstitute } = row;
  return {
    saleId,
    seed: Buffer.from(seed),
    saltKey: Buffer.from(saltKey),
    valueSource: row.valueSource ?? undefined,
    valueSubstitute: row.valueSubstitute ?? undefined,
    beaconRound: row.beaconRound === null ? undefined : Number(row.beaconRound),
    closedAtMs: row.closedAt?.getTime(),
    list: root === null || entries === null ? undefined : { entries, root: Buffer.from(root) },
    decided: value === null || isSubstitute === null ? undefined : { value, isSubstitute },
    isDealt: row.dealtAt !== null,
  };
}

/** Reads the ids of the sales that have opened, and whose line has no order yet. An operator may have closed them. */
export async function readUndealt(db: Database): Promise<string[]> {
  const rows = await db.$queryRaw<{ sale_id: string }[]>(Prisma.sql`
    SELECT d.sale_id FROM draws d JOIN sales s ON s.id = d.sale_id
    WHERE d.dealt_at IS NULL AND s.opens_at <= ${NOW} AND s.state <> 'closed' AND s.closes_at > ${NOW}
    ORDER BY s.opens_at`);
  return rows.map(({ sale_id: saleId }) => saleId);
}

/** SQL for the draws `d` whose list is complete, of sales `s` that are not over, and whose order is not decided yet. */
const UNDECIDED = Prisma.sql`
  FROM draws d JOIN sales s ON s.id = d.sale_id
  WHERE d.dealt_at IS NULL AND d.root IS NOT NULL AND d.decided_at IS NULL AND s.state <> 'closed' AND s.closes_at > ${NOW}`;

/** Reads the draws that wait for a round of their beacon, those whose sale has opened first. */
export async function readAwaitingBeacon(
  db: Database,
): Promise<{ saleId: string; valueSource: string; beaconRound: number }[]> {
  const rows = await db.$queryRaw<{ sale_id: string; value_source: string; beacon_round: bigint }[]>(Prisma.sql`
    SELECT d.sale_id, d.value_source, d.beacon_round ${UNDECIDED} AND d.beacon_round IS NOT NULL ORDER BY s.opens_at`);
  return rows.map(({ sale_id: saleId, value_source: valueSource, beacon_round: beaconRound }) => {
    return { saleId, valueSource, beaconRound: Number(beaconRound) };
  });
}

/** Counts the draws that wait for their public value, from a beacon or from the operator. */
export async function countAwaitingValue(db: Database): Promise<number> {
  const [row] = await db.$queryRaw<{ count: bigint }[]>(
    Prisma.sql`SELECT count(*) AS count ${UNDECIDED} AND d.value_source IS NOT NULL`,
  );
  return Number(row?.count ?? 0);
}

/** Closes the published list of a draw: entries that arrive from now on are not in it. */
export async function closeDraw(db: Database, saleId: string): Promise<void> {
  await db.$executeRaw(
    Prisma.sql`UPDATE draws SET closed_at = clock_timestamp() WHERE sale_id = ${saleId} AND closed_at IS NULL`,
  );
}

/** Records the root of the published list, unless another process has: both computed the same. */
export async function recordList(db: Database, saleId: string, { entries, root }: DrawnList): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE draws SET entries = ${entries}, root = ${root} WHERE sale_id = ${saleId} AND closed_at IS NOT NULL AND root IS NULL`);
}

/**
 * Decides the order of a draw by its public value. The first value decides, and never another one.
 *
 * @returns false when the draw is not closed yet, or was decided before
 */
export async function decideDraw(db: Database, saleId: string, { value, isSubstitute }: DrawnValue): Promise<boolean> {
  const count = await db.$executeRaw(Prisma.sql`
    UPDATE draws SET value = ${value}, is_substitute = ${isSubstitute}, decided_at = clock_timestamp()
    WHERE sale_id = ${saleId} AND root IS NOT NULL AND decided_at IS NULL`);
  return count === 1;
}

/** Records that the line has its order, and that the units were offered to its first buyers. */
export async function markDealt(db: Database, saleId: string): Promise<void> {
  await db.$executeRaw(
    Prisma.sql`UPDATE draws SET dealt_at = clock_timestamp() WHERE sale_id = ${saleId} AND dealt_at IS NULL`,
  );
}
