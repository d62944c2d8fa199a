import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';

/**
 * The key of the Postgres advisory lock for migrations: any constant that no other program locks. Prisma's own engine
 * locks 72707369.
 */
export const MIGRATION_LOCK = 20_260_702;

/**
 * Longest wait for the migration lock, in ms. A migration of a large table takes minutes. After a longer wait, an
 * operator should look.
 */
const LOCK_DEADLINE_MS = 300_000;

/** How often a waiting process asks for the migration lock, in ms. */
const ASK_EVERY_MS = 100;

/**
 * Waits for the lock under which one process at a time migrates a database. The lock belongs to the Postgres session
 * and ends with it, also after kill -9.
 *
 * The process asks repeatedly instead of blocking in `pg_advisory_lock`. A blocked statement holds a snapshot. CREATE
 * INDEX CONCURRENTLY in the process that has the lock waits for every older snapshot, so the two would deadlock.
 *
 * @param client the session that will migrate
 * @throws Error when another process holds the lock for longer than the deadline
 */
export async function takeMigrationLock(client: pg.Client): Promise<void> {
  const endsAt = performance.now() + LOCK_DEADLINE_MS;
  while (!(await tryLock(client))) {
    if (performance.now() > endsAt) {
      throw new Error(
        `another process has migrated this database for over ${LOCK_DEADLINE_MS / 1_000} s: see pg_stat_activity`,
      );
    }
    await setTimeout(ASK_EVERY_MS);
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
    MIGRATION_LOCK,
  ]);
  return rows[0]?.locked === true;
}
