import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';

/** Any constant that no other program locks. Prisma's own engine locks 72707369. */
export const MIGRATION_LOCK = 20_260_702;

/** A migration of a large table takes minutes. An operator should look after a wait of more than this, in ms. */
const LOCK_DEADLINE_MS = 300_000;

/** How often a process that waits asks for the lock, in ms. */
const ASK_EVERY_MS = 100;

/**
 * Waits for the lock under which one process at a time migrates a database. The lock belongs to the session and ends with
 * it, also after kill -9.
 *
 * The process asks repeatedly instead of blocking in `pg_advisory_lock`. A blocked statement holds a snapshot, and CREATE
 * INDEX CONCURRENTLY in the process that has the lock waits for every older snapshot: the two would deadlock.
 *
 * @param client a session that will migrate
 * @throws when another process holds the lock for longer than the deadline
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
