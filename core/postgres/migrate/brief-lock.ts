import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

/**
 * Longest wait of a script for one lock, in ms. A script that waits for a table holds everybody who comes after it, even
 * if the table is only being read. It is longer than Postgres's `deadlock_timeout` of 1 s, after which Postgres ends an
 * autovacuum that is in the way.
 */
const LOCK_WAIT_MS = 1_500;

/** Pause before a script is tried again, in ms. Meanwhile those who waited behind it have their turn. */
const PAUSE_MS = 3_000;

/** Longest time for all tries, in ms. After that, an operator should look. */
const TRY_FOR_MS = 300_000;

/** The SQLSTATE of a lock that was waited for in vain, and of a deadlock. */
const HELD_UP = ['55P03', '40P01'];

/**
 * Runs work in a transaction that waits only briefly for a lock. If others hold it for longer, everything is rolled back
 * and tried again after a pause.
 *
 * @param client a session without a transaction
 * @param work may run several times; what it did in a try before is undone
 * @param tryForMs after this time, in ms, no other try begins
 * @throws Error when others hold a lock for all that time, and else what `work` throws
 */
export async function inBriefTransaction(
  client: pg.Client,
  work: () => Promise<void>,
  tryForMs = TRY_FOR_MS,
): Promise<void> {
  const endsAt = performance.now() + tryForMs;
  while (!(await tryOnce(client, work))) {
    if (performance.now() > endsAt) {
      throw new Error(
        `other sessions have held a lock that it needs for over ${tryForMs / 1_000} s: see pg_stat_activity for long transactions`,
      );
    }
    await setTimeout(PAUSE_MS);
  }
}

/**
 * Runs work in one transaction.
 *
 * @returns false when a lock was waited for in vain: then nothing is done
 */
async function tryOnce(client: pg.Client, work: () => Promise<void>): Promise<boolean> {
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`);
    await work();
    await client.query('COMMIT');
    return true;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || !HELD_UP.includes(error.code ?? '')) throw error;
    await client.query('ROLLBACK');
    return false;
  }
}
