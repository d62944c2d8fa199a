import { type Database, Prisma } from '../database.js';
import { NOW } from '../now.js';

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
  /** When it is due to be sent. */
  attemptAt: Date;
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
  attempt_at: Date;
  last_error: string | null;
}

/** The columns of a {@link NoticeRow}, for a query that calls the table `outbox_events` `e`. */
export const NOTICE_COLUMNS = Prisma.sql`e.id, e.kind, e.sale_id, e.order_id, e.payload, e.created_at, e.attempts, e.attempt_at, e.last_error`;

/** How much of the due notices is read: at most `limit`, and only those after `after`. */
export interface NoticePage {
  limit: number;
  after?: Notice | undefined;
}

/**
 * Reads the shop notices that are due, the longest due first. A notice waits until the earlier notices of its order are
 * delivered.
 */
export async function readDueNotices(db: Database, { limit, after }: NoticePage): Promise<Notice[]> {
  const next = after ? Prisma.sql`AND (e.attempt_at, e.id) > (${after.attemptAt}, ${after.id})` : Prisma.empty;
  const rows = await db.$queryRaw<NoticeRow[]>(Prisma.sql`
    SELECT ${NOTICE_COLUMNS} FROM outbox_events e
    WHERE e.kind <> 'release' AND e.delivered_at IS NULL AND e.dead_at IS NULL AND e.attempt_at <= ${NOW} ${next}
      AND NOT EXISTS (
        SELECT FROM outbox_events earlier
        WHERE earlier.order_id = e.order_id AND earlier.id < e.id AND earlier.kind <> 'release'
          AND earlier.delivered_at IS NULL)
    ORDER BY e.attempt_at, e.id LIMIT ${limit}`);
  return rows.map(noticeOf);
}

/** Attempts to send a notice before it becomes a dead letter: about 9 h with back-off. */
export const ATTEMPTS_MAX = 16;

/** Longest pause between two attempts to send a notice, in s. */
const PAUSE_SECONDS_MAX = 3_600;

/**
 * Schedules the next attempt to send a notice after 2, 4, 8 … s, or makes the notice a dead letter. Later notices of
 * the same order wait, since without it they would make no sense to the shop. They become due together with it, so that
 * a round does not read them in vain.
 *
 * @param error why the shop did not accept the notice
 */
export async function postponeNotice(db: Database, id: bigint, error: string): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    WITH postponed AS (
      UPDATE outbox_events SET attempts = attempts + 1, last_error = ${error},
             attempt_at = clock_timestamp() + least(2 ^ least(attempts + 1, 20), ${PAUSE_SECONDS_MAX}) * interval '1 second',
             dead_at = CASE WHEN attempts + 1 >= ${ATTEMPTS_MAX} THEN clock_timestamp() END
      WHERE id = ${id}
      RETURNING id, order_id, attempt_at, dead_at)
    UPDATE outbox_events e SET attempt_at = p.attempt_at FROM postponed p
    WHERE e.order_id = p.order_id AND e.id > p.id AND e.kind <> 'release' AND e.delivered_at IS NULL AND p.dead_at IS NULL`);
}

/** Turns a row of `outbox_events` into a shop notice. */
export function noticeOf(row: NoticeRow): Notice {
  const { id, kind, sale_id: saleId, order_id: orderId, created_at: createdAt, attempts, payload: data } = row;
  return { id, kind, saleId, orderId, createdAt, attempts, attemptAt: row.attempt_at, data };
}
