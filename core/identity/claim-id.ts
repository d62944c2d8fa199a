import { randomUUID } from 'node:crypto';

/** The length of a claim id's beginning that is its time, with a hyphen. */
const TIME_LENGTH = 13;

const startOf = (ms: number): string => {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
};

/** Returns the time in a claim id, in ms by the clock of the Redis that has made the claim. */
export const wonAtMsOf = (claimId: string): number =>
  Number.parseInt(claimId.slice(0, TIME_LENGTH).replace('-', ''), 16);

/**
 * Makes ids for claims: UUIDs of version 7 (RFC 9562), which begin with the time in ms. Redis puts the time of its own
 * clock into the id of a claim that it makes (lua/include/claim-id.lua). So a buyer's later claim has the greater id,
 * and a sale's orders are neighbours in Postgres's primary-key index.
 *
 * @param count how many ids
 */
export function newClaimIds(count: number): string[] {
  const start = `${startOf(Date.now())}-7`;
  return Array.from({ length: count }, () => start + randomUUID().slice(start.length));
}

/** Returns the part of a claim id after its time. */
export function randomPartOf(claimId: string): string {
  return claimId.slice(TIME_LENGTH);
}

/** Makes one claim id like those of {@link newClaimIds}. */
export function newClaimId(): string {
  const [claimId = ''] = newClaimIds(1);
  return claimId;
}

/** Makes the id of a claim that follows an earlier one, also if this process's clock is behind Redis's. */
export function newClaimIdAfter(earlier: string): string {
  return startOf(Math.max(Date.now(), wonAtMsOf(earlier) + 1)) + randomPartOf(newClaimId());
}
