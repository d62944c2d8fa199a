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

/** Converts a reply of Redis's TIME (seconds, microseconds) to ms since the epoch. */
export function msOf([seconds, micros]: readonly (string | number)[]): number {
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** Finds the server's run id in a reply of Redis's INFO. */
export function runIdOf(info: string): string | undefined {
  return /run_id:(\w+)/.exec(info)?.[1];
}
