import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import keySlot from 'cluster-key-slot';
import { ConfigError } from '#core/process/config.js';
import { connectShards } from '#core/redis/cluster.js';
import { waitUntilReady } from '#core/redis/connection.js';
import { bucketOf, bucketTags } from '#core/redis/keys.js';
import { readServerFacts } from '#core/redis/server/fitness.js';
import { askNode, type ClusterNode } from '#stack/stores/redis-cluster.js';
import { closeContext, createContext } from '../../../apps/api/context.js';
import { eventually } from '../../support/eventually.js';
import { apiConfigOf } from '../../support/http/api.js';
import { useCluster, whileAway } from '../../support/redis/cluster.js';
import { useStores } from '../../support/stores/stores.js';

const READY_MS = 5_000;

const t = useStores();
const c = useCluster(1);
const other = useCluster(2);

/** Makes an id of a bucket. */
function idIn(tag: string): string {
  let id = randomUUID();
  while (bucketOf(id) !== tag) id = randomUUID();
  return id;
}

test('one Redis has one connection, for all buckets', () => {
  const redis = connectShards(t.redisUrl, 'steps', () => undefined);
  try {
    expect(redis).toMatchObject({ isOfCluster: false, tags: bucketTags(), guards: [] });
    expect(redis.shards).toEqual([redis]);
    expect(redis.of(randomUUID())).toBe(redis);
  } finally {
    redis.disconnect();
  }
});

test('a Redis Cluster has a connection for each bucket, and an id has that of its bucket', () => {
  const { redis } = c;
  expect(redis.isOfCluster).toBe(true);
  expect(redis.shards.map(({ tags }) => tags)).toEqual(bucketTags().map(tag => [tag]));
  expect(redis.shards.map(({ guards }) => guards)).toEqual(bucketTags().map(tag => [`${tag}:never`]));
  for (const id of Array.from({ length: 100 }, () => randomUUID())) {
    expect(redis.of(id).tags).toEqual([bucketOf(id)]);
  }
});

test('a node with several ranges of slots has the slots of all of them', async () => {
  const [node] = c.server.nodes as [ClusterNode];
  const inUse = new Set(bucketTags().map(tag => keySlot(tag)));
  const between = Array.from({ length: 16_384 }, (_, slot) => slot).find(
    slot => slot > Math.min(...inUse) && !inUse.has(slot),
  );
  await askNode(node, client => client.cluster('DELSLOTS', Number(between)));
  try {
    const redis = await c.connect();
    for (const shard of redis.shards) expect(await shard.ping()).toBe('PONG');
  } finally {
    await askNode(node, client => client.cluster('ADDSLOTS', Number(between)));
  }
});

test('nodes of two clusters are refused, as a sale could be on either', async () => {
  const address = `${c.server.url},${other.server.url.replace('redis+cluster://', '')}`;
  const redis = connectShards(address, 'steps', () => undefined);
  try {
    const error = await waitUntilReady(redis.of('a sale'), READY_MS).catch(why => why);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('nodes of several Redis Clusters');
  } finally {
    redis.disconnect();
  }
});

test('an owner with several ranges of slots is found by each of them', async () => {
  const away = bucketTags()[7] ?? '';
  await whileAway(c, idIn(away), async () => {
    const redis = connectShards(c.server.url, 'steps', () => undefined);
    const others = redis.shards.filter(({ tags }) => !tags.includes(away));
    try {
      await Promise.all(others.map(shard => waitUntilReady(shard, READY_MS)));
    } finally {
      redis.disconnect();
    }
  });
});

test('a server says what it is', async () => {
  const fit = { isReplica: false, policy: 'noeviction' };
  expect(await readServerFacts(t.redis)).toEqual({ ...fit, isCluster: false });
  expect(await readServerFacts(c.redis.of(''))).toEqual({ ...fit, isCluster: true });
});

test('an API that has ended leaves no connection to a node', async () => {
  const ids = async () => new Set(String(await c.redis.of('').client('LIST')).match(/^id=\d+/gm));
  const before = await ids();
  const ended = createContext(apiConfigOf(c.server.url));
  await eventually(async () => expect((await ids()).size).toBeGreaterThan(before.size + 48));
  await closeContext(ended);
  await eventually(async () => expect([...(await ids())].filter(id => !before.has(id))).toEqual([]));
});

test('a process that was told of one node finds the others, and finds the owner of a bucket without that node', async () => {
  const [told, owner] = other.server.nodes;
  const id = await other.idOn(1);
  const redis = connectShards(`redis+cluster://127.0.0.1:${told?.port}`, 'steps', () => undefined);
  try {
    const shard = redis.of(id);
    await waitUntilReady(shard, READY_MS);
    await told?.kill();
    shard.disconnect(true);
    await eventually(async () => expect(await shard.cluster('MYID')).toBe(owner?.id));
  } finally {
    redis.disconnect();
  }
});
