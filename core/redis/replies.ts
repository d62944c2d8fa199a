import { NotVerified } from '../rules/errors.js';

/**
 * Unpacks the replies of a Redis pipeline or transaction.
 *
 * @throws the first error among the replies
 */
export function repliesOf<T extends unknown[]>(replies: [error: Error | null, reply: unknown][] | null): T {
  return (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  }) as T;
}

/**
 * Refuses for a process that has not noticed yet that the keys of the sales were moved: it finds a text instead of the registry.
 * The other keys that it read in the same call seem empty, and are not.
 *
 * @throws NotVerified then; every other error as it is
 */
export function refuseMoved(error: Error): never {
  throw error.message.startsWith('WRONGTYPE') ? new NotVerified('the keys of the sales were moved') : error;
}

/** Converts a reply of Redis's TIME (seconds, microseconds) to ms since the epoch. */
export function msOf([seconds, micros]: readonly (string | number)[]): number {
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** Finds the server's run id in a reply of Redis's INFO. */
export function runIdOf(info: string): string | undefined {
  return /run_id:(\w+)/.exec(info)?.[1];
}
