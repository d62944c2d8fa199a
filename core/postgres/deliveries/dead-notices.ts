import { type Database, Prisma } from '../database.js';
import { NOTICE_COLUMNS, type Notice, type NoticeRow, noticeOf } from './notices.js';

/** An event that the shop didn't take in after every attempt. */
export interface DeadNotice extends Notice {
  lastError: string | null;
}

/**
 * @param db the database
 * @param limit how many, at most
 * @returns the events that were given up, the newest first
 */
export async function readDeadNotices(db: Database, limit: number): Promise<DeadNotice[]> {
  const rows = await db.$queryRaw<NoticeRow[]>(Prisma.sql`
    SELECT ${NOTICE_COLUMNS} FROM outbox_events e WHERE e.dead_at IS NOT NULL AND e.delivered_at IS NULL
    ORDER BY e.id DESC LIMIT ${limit}`);
  return rows.map(row => ({ ...noticeOf(row), lastError: row.last_error }));
}

/**
 * Gives dead events another round of attempts, from now on.
 *
 * @param db the database
 * @param id one of them; all without
 * @returns how many
 */
export async function reviveNotices(db: Database, id?: bigint): Promise<number> {
  const which = id === undefined ? Prisma.empty : Prisma.sql`AND id = ${id}`;
  return db.$executeRaw(Prisma.sql`
    UPDATE outbox_events SET dead_at = NULL, attempts = 0, attempt_at = clock_timestamp()
    WHERE dead_at IS NOT NULL AND delivered_at IS NULL ${which}`);
}
