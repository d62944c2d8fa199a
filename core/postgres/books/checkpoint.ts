import { Prisma, type Transaction } from '../database.js';
import { NOW } from '../now.js';
import type { BrokenRows } from './pages.js';

/** How far the books were checked. Migration 0025 explains the columns. */
export interface Checkpoint {
  transferId: bigint;
  accountId: bigint;
  seenTransferId: bigint;
  seenAccountId: bigint;
  walkedTransferId: bigint;
  walkedAccountId: bigint;
  /** Whether every row up to the ids that were seen is committed, or will never be. */
  isCommitted: boolean;
  /** When the walk under way began; null before the first check. */
  walkBeganAt: Date | null;
  /** When the last complete walk through the books began; null before the first one. */
  walkedAt: Date | null;
  /** The time of the reading, by Postgres's clock. */
  readAt: Date;
}

/**
 * Longest time between the moment at which a transaction takes an id and its end, in s. A transaction here lasts at most
 * some seconds: statements and transactions have time-outs.
 */
const COMMITTED_SECONDS = 60;

/** With this number of findings, the books are beyond single repairs. Then no further rows are checked until some are mended. */
const FINDINGS_MAX = 1_000;

/** Reads how far the books were checked; before the first check, not at all. */
export async function readCheckpoint(db: Transaction): Promise<Checkpoint> {
  const [row] = await db.$queryRaw<Checkpoint[]>(Prisma.sql`
    SELECT coalesce(transfer_id, 0) AS "transferId", coalesce(account_id, 0) AS "accountId",
           coalesce(seen_transfer_id, 0) AS "seenTransferId", coalesce(seen_account_id, 0) AS "seenAccountId",
           coalesce(walked_transfer_id, 0) AS "walkedTransferId", coalesce(walked_account_id, 0) AS "walkedAccountId",
           walk_began_at AS "walkBeganAt", walked_at AS "walkedAt",
           coalesce(seen_at < ${NOW} - ${COMMITTED_SECONDS} * interval '1 second', true) AS "isCommitted", ${NOW} AS "readAt"
    FROM (SELECT) AS one LEFT JOIN books_checkpoint ON true`);
  if (!row) throw new Error('the checkpoint of the books has one row');
  return row;
}

/**
 * Writes how far the books were checked, unless another process has ended the walk meanwhile.
 *
 * @param isWalked whether a walk through the books is complete, so that the next one begins
 */
export async function writeCheckpoint(
  db: Transaction,
  checkpoint: Checkpoint,
  { isWalked }: { isWalked: boolean },
): Promise<void> {
  const { transferId, accountId } = checkpoint;
  const [walkedTransferId, walkedAccountId] = isWalked
    ? [0n, 0n]
    : [checkpoint.walkedTransferId, checkpoint.walkedAccountId];
  await db.$executeRaw(Prisma.sql`
    INSERT INTO books_checkpoint AS b (id, transfer_id, account_id, walked_transfer_id, walked_account_id)
    VALUES (1, ${transferId}, ${accountId}, ${walkedTransferId}, ${walkedAccountId})
    ON CONFLICT (id) DO UPDATE SET
      transfer_id = EXCLUDED.transfer_id, account_id = EXCLUDED.account_id,
      walked_transfer_id = EXCLUDED.walked_transfer_id, walked_account_id = EXCLUDED.walked_account_id,
      walked_at = CASE WHEN ${isWalked} THEN b.walk_began_at ELSE b.walked_at END,
      walk_began_at = CASE WHEN ${isWalked} THEN clock_timestamp() ELSE b.walk_began_at END
    WHERE b.walk_began_at = ${checkpoint.walkBeganAt}`);
}

/** Notes the highest ids that there are now, as the next end of the checkpoint. */
export async function noteEnds(db: Transaction): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE books_checkpoint SET seen_at = clock_timestamp(),
      seen_transfer_id = (SELECT coalesce(max(id), 0) FROM transfers),
      seen_account_id = (SELECT coalesce(max(id), 0) FROM accounts)`);
}

/** Tells whether there is room for more findings. Without room, no further rows are checked. */
export async function hasRoom(db: Transaction): Promise<boolean> {
  const [row] = await db.$queryRaw<{ room: boolean }[]>(Prisma.sql`
    SELECT count(*) < ${FINDINGS_MAX} AS room FROM books_findings`);
  return row?.room === true;
}

/** Keeps the broken rows of a page as findings, so that every audit reads them again. */
export async function insertFindings(db: Transaction, { unbalanced, negative, foreign }: BrokenRows): Promise<void> {
  const accounts = [...unbalanced, ...negative];
  if (accounts.length + foreign.length === 0) return;
  await db.$executeRaw(Prisma.sql`
    INSERT INTO books_findings (kind, row_id)
    SELECT kind, id FROM (
      SELECT 'account' AS kind, id FROM unnest(${accounts}::bigint[]) AS a (id)
      UNION SELECT 'transfer', id FROM unnest(${foreign}::bigint[]) AS t (id)) f
    ON CONFLICT DO NOTHING`);
}

/**
 * Forgets the findings that are no more among the broken rows: somebody has mended them.
 *
 * @param readAt the time before these rows were read. Another process may have found more since.
 */
export async function forgetMended(
  db: Transaction,
  { unbalanced, negative, foreign }: BrokenRows,
  readAt: Date,
): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    DELETE FROM books_findings WHERE found_at < ${readAt} AND row_id <> ALL (
      CASE kind WHEN 'account' THEN ${[...unbalanced, ...negative]}::bigint[] ELSE ${foreign}::bigint[] END)`);
}
