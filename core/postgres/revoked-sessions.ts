import { type Database, Prisma } from './database.js';
import { NOW } from './now.js';

/**
 * Revokes an operator's session: every admin process refuses it from now on. Idempotent.
 *
 * @param session its id, a UUID, and when it would have ended anyway
 */
export async function revokeSession(db: Database, session: { id: string; endsAt: Date }): Promise<void> {
  const { id, endsAt } = session;
  await db.revokedSession.createMany({ data: [{ id, endsAt }], skipDuplicates: true });
}

/** Tells whether an operator's session was revoked. */
export async function isSessionRevoked(db: Database, id: string): Promise<boolean> {
  return (await db.revokedSession.findUnique({ where: { id } })) !== null;
}

/**
 * Deletes revocations of sessions that have ended anyway. A day later, no admin process accepts them, even if its clock
 * is hours behind Postgres's.
 */
export async function pruneRevokedSessions(db: Database): Promise<void> {
  await db.$executeRaw(Prisma.sql`DELETE FROM revoked_sessions WHERE ends_at < ${NOW} - interval '1 day'`);
}
