import type { IncomingMessage } from 'node:http';

/** The longest wait for one answer, in s. Proxies on the way cut off requests that take a minute. */
const WAIT_SECONDS_MAX = 30;

const WAIT = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i;

/**
 * Reads the header `Prefer: wait=N` (RFC 7240).
 *
 * @returns how long the client wants to wait for news, in s, at most 30; 0 without the header
 */
export function preferredWait(req: IncomingMessage): number {
  const { prefer } = req.headers;
  if (prefer === undefined) return 0;
  const seconds = WAIT.exec(String(prefer))?.[1];
  return Math.min(WAIT_SECONDS_MAX, Number(seconds ?? 0));
}

/** Returns the header that confirms a wait, or no header for a wait of 0 s. */
export function preferenceApplied(waitSeconds: number): Record<string, string> {
  return waitSeconds === 0 ? {} : { 'preference-applied': `wait=${waitSeconds}` };
}
