import { type Database, Prisma } from '../database.js';

/**
 * The kinds of notices that the shop's webhook gets about an order. Each notice is sent at least once, and those of one
 * order in sequence.
 */
export type NoticeKind = 'order.placed' | 'order.paid' | 'order.cancelled' | 'order.refunded';

/**
 * A webhook message to the shop about an order. A database trigger writes it in the statement that changes the order
 * (migration 0003).
 */
export interface Notice {
  id: bigint;
  kind: NoticeKind;
  saleId: string;
  orderId: string;
  createdAt: Date;
  attempts: number;
  data: Record<string, unknown>;
}

/** A shop notice as its row in the table `outbox_events` states it. */
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

/** The columns of a {@link NoticeRow}, for a query that calls the table `outbox_events` `e`. */
export const NOTICE_COLUMNS = Prisma.sql`e.id, e.kind, e.sale_id, e.order_id, e.payload, e.created_at, e.attempts, e.last_error`;

/**
 * Reads the shop notices that are due, oldest first. A notice waits until the earlier notices of its order are
 * delivered.
 *
 * @param limit the most rows
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

/** Attempts to send a notice before it becomes a dead letter: about 9 h with back-off. */
export const ATTEMPTS_MAX = 16;

/** Longest pause between two attempts to send a notice, in s. */
const PAUSE_SECONDS_MAX = 3_600;

/**
 * Schedules the next attempt to send a notice after 2, 4, 8 … s, or makes the notice a dead letter. Later notices of
 * the same order wait, since without it they would make no sense to the shop.
 *
 * @param error why the shop did not accept the notice
 */
export async function postponeNotice(db: Database, id: bigint, error: string): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE outbox_events SET attempts = attempts + 1, last_error = ${error},
           attempt_at = clock_timestamp() + least(2 ^ least(attempts + 1, 20), ${PAUSE_SECONDS_MAX}) * interval '1 second',
           dead_at = CASE WHEN attempts + 1 >= ${ATTEMPTS_MAX} THEN clock_timestamp() END
    WHERE id = ${id}`);
}

/** Turns a row of `outbox_events` into a shop notice. */
export function noticeOf(row: NoticeRow): Notice {
  const { id, kind, sale_id: saleId, order_id: orderId, created_at: createdAt, attempts, payload: data } = row;
  return { id, kind, saleId, orderId, createdAt, attempts, data };
}
