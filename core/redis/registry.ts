import type { Redis } from './connection.js';
import { REGISTRY_AT, REGISTRY_RUN, registryKeyOf, registryKeys } from './keys.js';
import { msOf, refuseMoved, repliesOf } from './replies.js';
import { readRunId } from './sale/sale.js';
import { runScript } from './scripts.js';
import type { Shards } from './shards.js';

/** Tells whether a sale certainly does not exist. A sale that Redis lost, or has not loaded yet, is not unknown. */
export async function isUnknown(redis: Shards, saleId: string): Promise<boolean> {
  const { isRegistered, isWhole } = await readRegistered(redis, saleId);
  return !isRegistered && isWhole;
}

/** Tells whether Redis can be trusted about which sales exist in the bucket of a sale. */
export async function isBucketWhole(redis: Shards, saleId: string): Promise<boolean> {
  return (await readRegistered(redis, saleId)).isWhole;
}

/** Reads whether the registry has a sale, and whether it is complete for this run of Redis. */
async function readRegistered(redis: Shards, saleId: string): Promise<{ isRegistered: boolean; isWhole: boolean }> {
  const server = redis.of(saleId);
  const [generation, run] = await server.hmget(registryKeyOf(saleId), saleId, REGISTRY_RUN).catch(refuseMoved);
  return { isRegistered: generation !== null, isWhole: run === (await readRunId(server)) };
}

/**
 * Marks the registry of sales in a server of Redis as complete: every sale of Postgres that belongs there is loaded for this run.
 *
 * @param saleIds every such sale, each loaded a moment ago
 * @returns false when Redis has lost one of these sales since: then its bucket is not marked
 */
export async function markRegistryWhole(redis: Redis, runId: string, saleIds: string[] = []): Promise<boolean> {
  const idsOf = new Map(registryKeys(redis.tags).map(key => [key, [] as string[]]));
  for (const saleId of saleIds) idsOf.get(registryKeyOf(saleId))?.push(saleId);
  const marked = await Promise.all(
    Array.from(idsOf, ([key, ids]) => runScript(redis, 'mark-registry', { keys: [key], args: [runId, ...ids] })),
  );
  return marked.every(outcome => outcome === 1);
}

/** Tells whether the registry of a server is marked as complete for this run of Redis, and Redis was not emptied since. */
export async function isRegistryWhole(redis: Redis): Promise<boolean> {
  const [runs, runId] = await Promise.all([
    readAll<string | null>(redis, key => ['hget', key, REGISTRY_RUN]),
    readRunId(redis),
  ]);
  return runs.every(run => run === runId);
}

/**
 * Reads the time since all sales of a server were last compared with Postgres ({@link markRegistryWhole}), in ms; undefined for
 * never.
 */
export async function sinceCompared(redis: Redis): Promise<number | undefined> {
  const [times, now] = await Promise.all([
    readAll<string | null>(redis, key => ['hget', key, REGISTRY_AT]),
    redis.time(),
  ]);
  if (times.includes(null)) return undefined;
  return msOf(now) - Math.min(...times.map(Number));
}

/** Reads the ids of the sales in Redis's registry, which are the loaded ones. */
export async function readLoadedSaleIds(redis: Shards): Promise<string[]> {
  return [...(await readGenerations(redis)).keys()];
}

/** Reads the sales in Redis's registry, each with its generation, the count of an operator's changes. */
export async function readGenerations(redis: Shards): Promise<Map<string, number>> {
  const registries = await Promise.all(redis.shards.map(shard => readAll<string[]>(shard, key => ['hgetall', key])));
  const entries = registries.flat().flatMap(fields => Object.entries(fields));
  const sales = entries.filter(([field]) => field !== REGISTRY_RUN && field !== REGISTRY_AT);
  return new Map(sales.map(([saleId, generation]) => [saleId, Number(generation)]));
}

/** Reads something from the registry of each bucket of a server, in one round trip. */
async function readAll<T>(redis: Redis, command: (key: string) => string[]): Promise<T[]> {
  return redis
    .pipeline(registryKeys(redis.tags).map(command))
    .exec()
    .then(repliesOf<T[]>)
    .catch(refuseMoved);
}
