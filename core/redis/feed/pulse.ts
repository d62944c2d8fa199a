import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { msOf, repliesOf, runIdOf } from '../replies.js';

/** What a sale's counters are, and whether its data can be believed. */
export interface Pulse {
  version: number;
  published: number;
  verified: boolean;
  /** Redis's clock, in ms since the epoch. */
  nowMs: number;
  /** When Redis was asked, by this process's `performance.now()`, in ms: it tells of what was so then, or later. */
  askedAtMs: number;
}

/**
 * Reads how far sales have got, in one round trip.
 *
 * @param redis a connection
 * @param saleIds the sales
 * @returns a pulse for each, in their order; of a sale that isn't loaded, one that isn't verified
 * @throws what ioredis throws
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
