/**
 * @param replies what a pipeline or a transaction was answered
 * @returns the reply to each of its commands
 * @throws what the first that failed was answered
 */
export function repliesOf<T extends unknown[]>(replies: [error: Error | null, reply: unknown][] | null): T {
  return (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  }) as T;
}

/**
 * @param time what TIME answers: seconds and microseconds
 * @returns ms since the epoch
 */
export function msOf([seconds, micros]: readonly (string | number)[]): number {
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/**
 * @param info what INFO answers about the server
 * @returns the id of this run of Redis
 */
export function runIdOf(info: string): string | undefined {
  return /run_id:(\w+)/.exec(info)?.[1];
}
