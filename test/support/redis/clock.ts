import type { Redis } from '#core/redis/connection.js';
import { msOf } from '#core/redis/replies.js';

/** Reads Redis's clock, in ms since the epoch. */
export async function readRedisMs(redis: Redis): Promise<number> {
  return msOf(await redis.time());
}
