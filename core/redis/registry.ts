import type { Redis } from './connection.js';
import { REGISTRY, REGISTRY_AT, REGISTRY_RUN } from './keys.js';
import { msOf } from './replies.js';
import { readRunId } from './sale/sale.js';
import { runScript } from './scripts.js';

/** Tells whether a sale certainly does not exist. A sale that Redis lost, or has not loaded yet, is not unknown. */
export async function isUnknown(redis: Redis, saleId: string): Promise<boolean> {
  const [generation, run] = await redis.hmget(REGISTRY, saleId, REGISTRY_RUN);
  return generation === null && run === (await readRunId(redis));
}

/**
 * Marks the registry of sales in Redis as complete: every sale of Postgres is loaded for this run of Redis.
 *
 * @param saleIds every sale of Postgres, each loaded a moment ago
 * @returns false when Redis has lost one of these sales since: then nothing is marked
 */
export async function markRegistryWhole(redis: Redis, runId: string, saleIds: string[] = []): Promise<boolean> {
  return (await runScript(redis, 'mark-registry', { keys: [REGISTRY], args: [runId, ...saleIds] })) === 1;
}

/** Tells whether the registry of sales is marked as complete for this run of Redis, and Redis was not emptied since. */
export async function isRegistryWhole(redis: Redis): Promise<boolean> {
  const [run, runId] = await Promise.all([redis.hget(REGISTRY, REGISTRY_RUN), readRunId(redis)]);
  return run === runId;
}

/**
 * Reads the time since all sales were last compared with Postgres ({@link markRegistryWhole}), in ms; undefined for
 * never.
 */
export async function sinceCompared(redis: Redis): Promise<number | undefined> {
  const [atMs, time] = await Promise.all([redis.hget(REGISTRY, REGISTRY_AT), redis.time()]);
  return atMs === null ? undefined : msOf(time) - Number(atMs);
}

/** Reads the ids of the sales in Redis's registry, which are the loaded ones. */
export async function readLoadedSaleIds(redis: Redis): Promise<string[]> {
  return (await redis.hkeys(REGISTRY)).filter(field => field !== REGISTRY_RUN && field !== REGISTRY_AT);
}
