import type { IncomingMessage } from 'node:http';

/** Nobody waits longer for one answer than this, in s: proxies on the way cut off requests that take a minute. */
const WAIT_SECONDS_MAX = 30;

const WAIT = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i;

/**
 * Reads what RFC 7240 calls a preference: `Prefer: wait=10`.
 *
 * @param req the request
 * @returns how many seconds the client wants to wait for news, at most 30; 0 when it doesn't say so
 */
export function preferredWait(req: IncomingMessage): number {
  const { prefer } = req.headers;
  if (prefer === undefined) return 0;
  const seconds = WAIT.exec(String(prefer))?.[1];
  return Math.min(WAIT_SECONDS_MAX, Number(seconds ?? 0));
}

/**
 * @param waitSeconds what {@link preferredWait} read
 * @returns the header that says so, if the client wanted to wait
 */
export function preferenceApplied(waitSeconds: number): Record<string, string> {
  return waitSeconds === 0 ? {} : { 'preference-applied': `wait=${waitSeconds}` };
}
