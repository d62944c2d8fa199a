import { type Database, Prisma } from '../database.js';

/**
 * Says that the shop wants notices (webhook messages) about its orders for the next year. Triggers of the database
 * write notices only then. Workers with the settings of the shop's webhook repeat this, and the row is written once a
 * day. A shop may run no worker between its sales, and its operators refund meanwhile.
 */
export async function wantNotices(db: Database): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    INSERT INTO shop_webhook (id, wanted_until) SELECT 1, clock_timestamp() + interval '366 days'
    WHERE NOT EXISTS (SELECT FROM shop_webhook WHERE wanted_until > clock_timestamp() + interval '365 days')
    ON CONFLICT (id) DO UPDATE SET wanted_until = EXCLUDED.wanted_until`);
}
