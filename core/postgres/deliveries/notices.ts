import { type Database, Prisma } from '../database.js';

/** What the shop is told of an order. Each once, and those of one order in the order in which they happened. */
export type NoticeKind = 'order.placed' | 'order.paid' | 'order.cancelled' | 'order.refunded';

/** An event for the shop; Postgres wrote it down in the statement that made it happen (migration 0003). */
export interface Notice {
  id: bigint;
  kind: NoticeKind;
  saleId: string;
  orderId: string;
  createdAt: Date;
  attempts: number;
  data: Record<string, unknown>;
}

/** A notice as its row has it. */
export interface NoticeRow {
  id: bigint;
  kind: NoticeKind;
  sale_id: string;
  order_id: string;
  payload: Record<string, unknown>;
  created_at: Date;
  attempts: number;
  last_error: string | null;
}

/** The columns of {@link NoticeRow}, of the table that a statement calls `e`. */
export const NOTICE_COLUMNS = Prisma.sql`e.id, e.kind, e.sale_id, e.order_id, e.payload, e.created_at, e.attempts, e.last_error`;

/**
 * @param db the database
 * @param limit how many, at most
 * @returns events that are to be delivered now: the first of its order that isn't, the oldest first
 */
export async function readDueNotices(db: Database, limit: number): Promise<Notice[]> {
  const rows = await db.$queryRaw<NoticeRow[]>(Prisma.sql`
    SELECT ${NOTICE_COLUMNS} FROM outbox_events e
    WHERE e.kind <> 'release' AND e.delivered_at IS NULL AND e.dead_at IS NULL AND e.attempt_at <= clock_timestamp()
      AND NOT EXISTS (
        SELECT FROM outbox_events earlier
        WHERE earlier.order_id = e.order_id AND earlier.id < e.id AND earlier.kind <> 'release'
          AND earlier.delivered_at IS NULL)
    ORDER BY e.id LIMIT ${limit}`);
  return rows.map(noticeOf);
}

/** Attempts of a delivery before a person is to look at it: with back-off, that is about 9 h. */
export const ATTEMPTS_MAX = 16;

/** The longest pause between two attempts, in s. */
const PAUSE_SECONDS_MAX = 3_600;

/**
 * Tries a delivery again after 2, 4, 8 ... s, or gives it up. What comes after it for the same order waits, as it would make no
 * sense to the shop.
 *
 * @param db the database
 * @param id an event that the shop didn't take in
 * @param error why
 */
export async function postponeNotice(db: Database, id: bigint, error: string): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE outbox_events SET attempts = attempts + 1, last_error = ${error},
           attempt_at = clock_timestamp() + least(2 ^ least(attempts + 1, 20), ${PAUSE_SECONDS_MAX}) * interval '1 second',
           dead_at = CASE WHEN attempts + 1 >= ${ATTEMPTS_MAX} THEN clock_timestamp() END
    WHERE id = ${id}`);
}

/** Turns a row into a notice. */
export function noticeOf(row: NoticeRow): Notice {
  const { id, kind, sale_id: saleId, order_id: orderId, created_at: createdAt, attempts, payload: data } = row;
  return { id, kind, saleId, orderId, createdAt, attempts, data };
}
