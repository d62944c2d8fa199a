import { type ClaimRecord, isLive } from '../../rules/claim.js';
import { groupsKeyOf } from '../keys.js';
import type { Shards } from '../shards.js';

// Counts of groups, by the fields that the scripts write: `n:group` for live claims, `u:group` for strikes (../lua/include/groups.lua).

/** Adds the fields of one claim to counts, or takes them out of it. */
export function countGroup(counts: Map<string, number>, claim: ClaimRecord, sign: 1 | -1): void {
  const { group, status, strikes = 0 } = claim;
  if (group === undefined) return;
  if (isLive(status)) counts.set(`n:${group}`, (counts.get(`n:${group}`) ?? 0) + sign);
  if (strikes > 0) counts.set(`u:${group}`, (counts.get(`u:${group}`) ?? 0) + sign * strikes);
}

/** Reads the counts of all groups of a sale; fields that are 0 may be missing. */
export async function readGroupCounts(redis: Shards, saleId: string): Promise<Map<string, number>> {
  const fields = Object.entries(await redis.of(saleId).hgetall(groupsKeyOf(saleId)));
  return new Map(fields.flatMap(([field, count]) => (field.startsWith('w:') ? [] : [[field, Number(count)]])));
}
