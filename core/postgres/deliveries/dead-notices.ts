import { type Database, Prisma } from '../database.js';
import { NOTICE_COLUMNS, type Notice, type NoticeRow, noticeOf } from './notices.js';

/** A shop notice (webhook message) that the shop did not accept in any attempt: a dead letter. */
export interface DeadNotice extends Notice {
  lastError: string | null;
}

/**
 * Reads the dead letters, which are shop notices (webhook messages) whose attempts all failed, newest first.
 *
 * @param limit the most rows
 */
export async function readDeadNotices(db: Database, limit: number): Promise<DeadNotice[]> {
  const rows = await db.$queryRaw<NoticeRow[]>(Prisma.sql`
    SELECT ${NOTICE_COLUMNS} FROM outbox_events e WHERE e.dead_at IS NOT NULL AND e.delivered_at IS NULL
    ORDER BY e.id DESC LIMIT ${limit}`);
  return rows.map(row => ({ ...noticeOf(row), lastError: row.last_error }));
}

/**
 * Gives dead letters (shop notices whose attempts all failed) another series of attempts, starting now.
 *
 * @param id of one notice; without it, all dead letters get new attempts
 * @returns the number of notices that get new attempts
 */
export async function reviveNotices(db: Database, id?: bigint): Promise<number> {
  const which = id === undefined ? Prisma.empty : Prisma.sql`AND id = ${id}`;
  return db.$executeRaw(Prisma.sql`
    UPDATE outbox_events SET dead_at = NULL, attempts = 0, attempt_at = clock_timestamp()
    WHERE dead_at IS NOT NULL AND delivered_at IS NULL ${which}`);
}
