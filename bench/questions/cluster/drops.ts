import { join } from 'node:path';
import { connectShards } from '#core/redis/cluster.js';
import { waitUntilReady } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Shards } from '#core/redis/shards.js';
import { startRedisCluster } from '#stack/stores/redis-cluster.js';
import { crowdSize } from '../../measure/crowd.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale } from '../../rig/sale.js';
import { type Server, startApi } from '../../rig/server.js';
import { byTurns, medianOf } from '../gate/turns.js';

/** The sales that are sold at the same time. */
const DROPS = 12;
const PRIMARIES = 3;
const READY_MS = 60_000;

/** A Redis of some kind, and an API that sells on it. */
interface Side {
  redis: Shards;
  api: Server;
  close(): Promise<void>;
}

/**
 * Asks how many claims a second one API makes in twelve sales at once: on one Redis, on the three primaries of a Redis Cluster, and
 * on those with a replica each. No worker takes the jobs.
 */
export async function drops(rig: Rig): Promise<Figures> {
  const sides = {
    one: await startSide(rig, rig.stores.redisUrl),
    three: await startClusterSide(rig, 0),
    six: await startClusterSide(rig, 1),
  };
  try {
    const turns = await byTurns(rig, {
      one: () => sell(rig, sides.one),
      three: () => sell(rig, sides.three),
      six: () => sell(rig, sides.six),
    });
    const vsOne = (counts: number[]) => medianOf(counts.map((count, turn) => count / (turns.one[turn] ?? Number.NaN)));
    return {
      onePerSecond: medianOf(turns.one),
      threePerSecond: medianOf(turns.three),
      sixPerSecond: medianOf(turns.six),
      threeVsOne: vsOne(turns.three),
      sixVsOne: vsOne(turns.six),
    };
  } finally {
    for (const side of Object.values(sides)) await side.close();
  }
}

async function startSide(rig: Rig, redisUrl: string): Promise<Side> {
  const redis = connectShards(redisUrl, 'steps', () => undefined);
  defineScripts(redis);
  await Promise.all(redis.shards.map(server => waitUntilReady(server, READY_MS)));
  const api = await startApi(rig, redisUrl);
  const close = async () => {
    await api.stop();
    redis.disconnect();
  };
  return { redis, api, close };
}

async function startClusterSide(rig: Rig, replicas: number): Promise<Side> {
  const dir = join(rig.stores.folder, `cluster-${replicas}`);
  const cluster = await startRedisCluster({ dir, primaries: PRIMARIES, replicas });
  const side = await startSide(rig, cluster.url);
  const close = async () => {
    await side.close();
    await cluster.stop();
  };
  return { ...side, close };
}

/**
 * Sells all drops on empty servers, and returns the claims a second.
 *
 * @throws Error when a buyer did not win
 */
async function sell(rig: Rig, { redis, api }: Side): Promise<number> {
  for (const server of redis.shards) await server.flushall('SYNC');
  const path: string[] = [];
  for (let i = 0; i < DROPS; i += 1) {
    path.push(`/buy/${await createRedisSale({ redis }, Math.ceil(crowdSize(rig) / DROPS))}`);
  }
  const { connections, depth, seconds } = rig.options;
  const crowd = { method: 'POST', path, first: 0, count: crowdSize(rig) } as const;
  const outcome = await rig.generator.run({ port: api.port, ...crowd, connections, depth, seconds });
  const wrong = Object.keys(outcome.statuses).filter(status => status !== '202');
  if (wrong.length > 0) throw new Error(`not everybody has won: ${JSON.stringify(outcome.statuses)}`);
  return outcome.answers / outcome.seconds;
}
