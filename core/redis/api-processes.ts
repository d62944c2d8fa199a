import { SECOND_MS } from '../rules/clock.js';
import { apiProcessesKeyOf, COMMON } from './keys.js';
import { msOf, repliesOf } from './replies.js';
import type { Shards } from './shards.js';

/** How often an API process gives a sign of life, in ms. */
export const SIGN_EVERY_MS = SECOND_MS;

/** A process without a sign for this long, in ms, counts as ended: three signs are missing. */
const SILENT_MS = 3 * SIGN_EVERY_MS;

/** The set itself expires after this time, in s, when no API runs any more. */
const EXPIRES_SECONDS = 60;

/**
 * Gives a sign of life of an API process, and counts the living ones. Every process removes the silent ones, so the set
 * stays as small as the deployment.
 *
 * @param name names the process, and no other one
 * @returns the number of living API processes, this one included
 * @throws what ioredis throws
 */
export async function countApiProcesses(redis: Shards, name: string): Promise<number> {
  const key = apiProcessesKeyOf(redis);
  const server = redis.of(COMMON);
  const nowMs = msOf(await server.time());
  const replies = await server
    .pipeline()
    .zadd(key, nowMs, name)
    .zremrangebyscore(key, '-inf', nowMs - SILENT_MS)
    // Signs from the future were given by the clock of another Redis, before a failover.
    .zremrangebyscore(key, nowMs + SILENT_MS, '+inf')
    .expire(key, EXPIRES_SECONDS)
    .zcard(key)
    .exec();
  return Number(repliesOf(replies).at(-1));
}
