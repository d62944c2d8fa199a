import { expect } from '@jest/globals';
import type { Database, Transaction } from '#core/postgres/database.js';
import { eventually } from '../eventually.js';
import { countBlocked } from '../stores/blocked.js';

/** It only ends a test that fails: a statement waits for a lock for at most 2 s. */
const WAITS_WITHIN_MS = 10_000;

/** The work of another connection, and the calls that meet it. */
interface Meeting<T> {
  /** Locks rows, and may change them. It is committed at last. */
  hold: (tx: Transaction) => Promise<unknown>;
  /** The calls that have to wait for the other connection, each begun when those before it wait. */
  calls: (() => Promise<T>)[];
  /** Matches the statements that wait, in the syntax of LIKE; any by default. */
  waiting?: string;
  /** Work once all calls wait, in the transaction or beside it. */
  meanwhile?: (tx: Transaction) => Promise<unknown>;
}

/**
 * Lets calls meet a transaction of another connection: they begin while it holds its rows, and continue after its commit.
 *
 * @returns the results of the calls, or their errors
 */
export async function whileHeld<T>(
  db: Database,
  { hold, calls, waiting = '%', meanwhile }: Meeting<T>,
): Promise<(T | Error)[]> {
  const begun: Promise<T | Error>[] = [];
  await db.$transaction(async tx => {
    await hold(tx);
    for (const call of calls) {
      const beginning = call();
      begun.push(beginning.catch((error: Error) => error));
      const isWaiting = async () => expect(await countBlocked(db, waiting)).toBe(begun.length);
      await Promise.race([
        eventually(isWaiting, WAITS_WITHIN_MS),
        beginning.then(() => expect('a call').toBe('waiting')),
      ]);
    }
    await meanwhile?.(tx);
  });
  return Promise.all(begun);
}
