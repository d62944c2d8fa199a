import type { Redis } from '#core/redis/connection.js';

/** So much is free at every share that no write of a test is refused. */
const BALLAST_BYTES = 32 * 1_024 * 1_024;

/** Sets Redis's maxmemory so that a share of it, from 0 to 1, is used. */
export async function fillTo(redis: Redis, share: number): Promise<void> {
  await redis.setrange('ballast', BALLAST_BYTES, 'x');
  const usedBytes = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  await redis.config('SET', 'maxmemory', Math.round(usedBytes / share));
}

/** Takes the limit of Redis's memory away again. */
export async function unfill(redis: Redis): Promise<void> {
  await redis.config('SET', 'maxmemory', 0);
  await redis.unlink('ballast');
}
