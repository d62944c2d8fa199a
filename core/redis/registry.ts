import type { Redis } from './connection.js';
import { REGISTRY, REGISTRY_AT, REGISTRY_RUN } from './keys.js';
import { msOf } from './replies.js';
import { readRunId } from './sale/sale.js';
import { runScript } from './scripts.js';

/**
 * Tells a sale that doesn't exist from one that this Redis lost or hasn't been given yet.
 *
 * @param redis a connection
 * @param saleId a sale that isn't loaded
 * @returns whether it certainly doesn't exist
 */
export async function isUnknown(redis: Redis, saleId: string): Promise<boolean> {
  const [generation, run] = await redis.hmget(REGISTRY, saleId, REGISTRY_RUN);
  return generation === null && run === (await readRunId(redis));
}

/**
 * Says that every sale of Postgres is loaded for this run of Redis.
 *
 * @param redis a connection with the scripts
 * @param runId the run
 * @param saleIds the sales of Postgres, all of them loaded a moment ago
 * @returns false when Redis has lost one since: then nothing is said
 */
export async function markRegistryWhole(redis: Redis, runId: string, saleIds: string[] = []): Promise<boolean> {
  return (await runScript(redis, 'mark-registry', [REGISTRY], [runId, ...saleIds])) === 1;
}

/**
 * @param redis a connection
 * @returns whether every sale of Postgres was loaded for this run of Redis, which has not been emptied since
 */
export async function isRegistryWhole(redis: Redis): Promise<boolean> {
  const [run, runId] = await Promise.all([redis.hget(REGISTRY, REGISTRY_RUN), readRunId(redis)]);
  return run === runId;
}

/**
 * @param redis a connection
 * @returns how long ago the sales were last compared to the end ({@link markRegistryWhole}), in ms; undefined for never
 */
export async function sinceCompared(redis: Redis): Promise<number | undefined> {
  const [atMs, time] = await Promise.all([redis.hget(REGISTRY, REGISTRY_AT), redis.time()]);
  return atMs === null ? undefined : msOf(time) - Number(atMs);
}

/**
 * @param redis a connection
 * @returns the sales that were loaded into this Redis and not dropped since
 */
export async function readLoadedSaleIds(redis: Redis): Promise<string[]> {
  return (await redis.hkeys(REGISTRY)).filter(field => field !== REGISTRY_RUN && field !== REGISTRY_AT);
}
