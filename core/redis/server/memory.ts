import type { Redis } from 'ioredis';
import { REDIS_NEARLY_FULL } from '../../rules/claim.js';

/** The used share of maxmemory below which clicks are accepted again. The distance keeps the API from changing its mind each second. */
const ROOM_AGAIN = 0.8;

/** Reads the used share of maxmemory, from 0 to 1; 0 without a maxmemory. */
export async function readFullness(redis: Redis): Promise<number> {
  return fullnessOf(await redis.info('memory'));
}

/** Finds the used share of maxmemory in a reply of Redis's INFO. */
export function fullnessOf(info: string): number {
  const bytesOf = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const maxBytes = bytesOf('maxmemory');
  // Redis doesn't count the buffers of replicas and of the append-only file against maxmemory.
  return maxBytes > 0 ? (bytesOf('used_memory') - bytesOf('mem_not_counted_for_evict')) / maxBytes : 0;
}

/**
 * Decides whether Redis is too full for clicks.
 *
 * @param wasNearlyFull the decision before
 */
export function isNearlyFull(fullness: number, wasNearlyFull: boolean): boolean {
  return fullness >= (wasNearlyFull ? ROOM_AGAIN : REDIS_NEARLY_FULL);
}

/** Says in words that Redis is nearly full; undefined if it is not. */
export function fullnessNote(fullness: number): string | undefined {
  if (fullness < REDIS_NEARLY_FULL) return undefined;
  return `Redis has used ${Math.round(100 * fullness)} % of its maxmemory: clicks are refused`;
}
