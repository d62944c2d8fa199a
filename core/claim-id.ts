import { randomUUID } from 'node:crypto';

/**
 * Makes the id of a claim: a UUID of version 7 (RFC 9562), which begins with the time in ms. So of two claims of one buyer the
 * later has the greater id, and the orders of a sale lie side by side in Postgres's index.
 *
 * @returns an id that nobody has
 */
export function newClaimId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
