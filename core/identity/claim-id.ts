import { randomUUID } from 'node:crypto';

/**
 * Makes claim ids: UUIDs of version 7 (RFC 9562), which begin with the time in ms. So a buyer's later claim has the
 * greater id, and a sale's orders are neighbours in Postgres's primary-key index.
 *
 * @param count how many ids
 */
export function newClaimIds(count: number): string[] {
  const time = Date.now().toString(16).padStart(12, '0');
  const start = `${time.slice(0, 8)}-${time.slice(8)}-7`;
  return Array.from({ length: count }, () => start + randomUUID().slice(15));
}

/** Makes one claim id, a UUID of version 7 like those of {@link newClaimIds}. */
export function newClaimId(): string {
  const [claimId = ''] = newClaimIds(1);
  return claimId;
}
