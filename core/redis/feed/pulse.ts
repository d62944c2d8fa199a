import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { msOf, repliesOf, runIdOf } from '../replies.js';

/** The counters of a sale in Redis, and whether it was compared with Postgres in this run of Redis. */
export interface Pulse {
  version: number;
  published: number;
  verified: boolean;
  /** Redis's clock, in ms since the epoch. */
  nowMs: number;
  /**
   * When this process asked Redis for the counters, by `performance.now()`, in ms. The answer describes that moment or
   * a later one.
   */
  askedAtMs: number;
}

/**
 * Reads the counters of several sales in one round trip.
 *
 * @returns a pulse for each sale, in the same order; a sale that is not loaded counts as not verified
 * @throws ioredis's error
 */
export async function readPulses(redis: Redis, saleIds: string[]): Promise<Pulse[]> {
  const askedAtMs = performance.now();
  const pipeline = redis.pipeline();
  for (const saleId of saleIds) pipeline.hmget(keysOf(saleId).sale, 'version', 'published', 'runId');
  const replies = repliesOf(await pipeline.info('server').time().exec());
  const [server, time] = replies.slice(-2) as [string, [string, string]];
  const [runningId, nowMs] = [runIdOf(server), msOf(time)];
  return saleIds.map((_, i) => {
    const [version, published, runId] = replies[i] as (string | null)[];
    return { version: Number(version), published: Number(published), verified: runId === runningId, nowMs, askedAtMs };
  });
}
