import { expect } from '@jest/globals';
import type { Database, Transaction } from '#core/postgres/database.js';
import { eventually } from '../eventually.js';
import { countBlocked } from './blocked.js';

/** What another connection does, and what meets it there. */
interface Meeting<T> {
  /** Locks rows, and may change them. It is committed at last. */
  hold: (tx: Transaction) => Promise<unknown>;
  /** The calls that have to wait for the other connection, each begun when those before it wait. */
  calls: (() => Promise<T>)[];
  /** Matches the statements that wait, in the syntax of LIKE; any by default. */
  waiting?: string;
}

/**
 * Lets calls meet a transaction of another connection: they begin while it holds its rows, and go on after its commit.
 *
 * @returns the results of the calls
 */
export async function whileHeld<T>(
  db: Database,
  { hold, calls, waiting = '%' }: Meeting<T>,
): Promise<PromiseSettledResult<T>[]> {
  const begun: Promise<T>[] = [];
  let settled: Promise<PromiseSettledResult<T>[]> = Promise.resolve([]);
  await db.$transaction(async tx => {
    await hold(tx);
    for (const call of calls) {
      begun.push(call());
      settled = Promise.allSettled(begun);
      await eventually(async () => expect(await countBlocked(db, waiting)).toBe(begun.length));
    }
  });
  return settled;
}
