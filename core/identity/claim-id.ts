import { randomUUID } from 'node:crypto';

/**
 * Makes the ids of claims: UUIDs of version 7 (RFC 9562), which begin with the time in ms. So of two claims of one buyer the
 * later has the greater id, and the orders of a sale lie side by side in Postgres's index.
 *
 * @param count how many
 * @returns ids that nobody has
 */
export function newClaimIds(count: number): string[] {
  const time = Date.now().toString(16).padStart(12, '0');
  const start = `${time.slice(0, 8)}-${time.slice(8)}-7`;
  return Array.from({ length: count }, () => start + randomUUID().slice(15));
}

/** @returns a single one */
export function newClaimId(): string {
  const [claimId = ''] = newClaimIds(1);
  return claimId;
}
