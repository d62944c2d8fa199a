import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { connectShards } from '#core/redis/cluster.js';
import { waitUntilReady } from '#core/redis/connection.js';
import { bucketOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Shards } from '#core/redis/shards.js';
import { until } from '#stack/processes/until.js';
import { askNode, type ClusterNode, type RedisCluster, startRedisCluster } from '#stack/stores/redis-cluster.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../../support/eventually.js';
import { moveSlot } from '../../support/redis/move-slot.js';
import { ownerOf, slotOf, untilWhole } from '../../support/redis/slot-owner.js';
import { aSale, winOne } from '../../support/sales.js';

// Three primaries and three replicas. The connection of each bucket follows its slot, whatever becomes of its node.

const READY_MS = 60_000;

/** Longer than a node tries to change places with its primary, in ms (Redis, CLUSTER FAILOVER). */
const FAILOVER_MS = 6_000;

let dir: string;
let cluster: RedisCluster;
let opened: Shards[] = [];

beforeAll(async () => {
  dir = await createTemporaryFolder();
  cluster = await startRedisCluster({ dir, primaries: 3, replicas: 1, appendFsync: 'everysec' });
}, 90_000);
afterEach(() => {
  for (const redis of opened) redis.disconnect();
  opened = [];
});
afterAll(async () => {
  await cluster?.stop();
  if (dir) await removeTemporaryFolder(dir);
}, 60_000);

function open(profile: Parameters<typeof connectShards>[1] = 'api'): Shards {
  const redis = connectShards(cluster.url, profile, () => undefined);
  defineScripts(redis);
  opened.push(redis);
  return redis;
}

/** Returns the port of the node that answers about a sale. */
async function portOf(redis: Shards, saleId: string): Promise<number> {
  return Number(/tcp_port:(\d+)/.exec(await redis.of(saleId).info('server'))?.[1]);
}

/** Expects that a connection answers, and by this node. */
async function leadsTo(redis: Shards, saleId: string, { port }: ClusterNode): Promise<void> {
  await eventually(async () => expect(await portOf(redis, saleId)).toBe(port));
  await waitUntilReady(redis.of(saleId), READY_MS);
}

test('each bucket is reached at the node of its slot, and no bucket at a replica', async () => {
  const redis = open();
  for (const shard of redis.shards) {
    await waitUntilReady(shard, READY_MS);
    expect(await shard.info('replication')).toContain('role:master');
    await shard.set(`${shard.tags.join()}:probe`, '1');
  }
});

test.each(['api', 'steps', 'worker', 'feed'] as const)(
  'a connection of %s that asks nothing follows a slot that moves',
  async profile => {
    const { id } = aSale();
    const from = await ownerOf(cluster, slotOf(id));
    const redis = open(profile);
    await leadsTo(redis, id, from);
    const to = await anotherPrimary(from);
    await moveSlot({ slot: slotOf(id), from, to }, cluster.nodes);
    await leadsTo(redis, id, to);
  },
);

async function anotherPrimary(than: ClusterNode): Promise<ClusterNode> {
  for (const node of cluster.nodes) {
    const info = await askNode(node, client => client.info('replication'));
    if (node !== than && info.includes('role:master')) return node;
  }
  throw new Error('a cluster has several primaries');
}

test('a sale that was loaded is read and sold where its slot has moved', async () => {
  const sale = aSale({ units: 2 });
  const redis = open('steps');
  const from = await ownerOf(cluster, slotOf(sale.id));
  await leadsTo(redis, sale.id, from);
  await openSale(redis, sale);
  await winOne({ redis }, sale, 'ann');
  const to = await anotherPrimary(from);
  await moveSlot({ slot: slotOf(sale.id), from, to }, cluster.nodes);
  await leadsTo(redis, sale.id, to);
  expect(await readLoadedSale(redis, sale.id)).toMatchObject({ claims: 1, remaining: 1, unplaced: 1 });
  // Nobody has compared the sale for the run of this node.
  await expect(winOne({ redis }, sale, 'bob')).rejects.toThrow('bob got no unit');
});

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'a connection follows its slot to the replica when its primary gets %s',
  async signal => {
    const { id } = aSale();
    const redis = open();
    const old = await ownerOf(cluster, slotOf(id));
    await leadsTo(redis, id, old);
    await redis.of(id).set(`${bucketOf(id)}:probe`, signal);
    await eventually(async () => expect(await redis.of(id).wait(1, 500)).toBe(1));
    if (signal === 'SIGKILL') await old.kill();
    else process.kill(old.pid, signal);
    try {
      const next = await ownerOf(cluster, slotOf(id), old);
      await leadsTo(redis, id, next);
      expect(await redis.of(id).get(`${bucketOf(id)}:probe`)).toBe(signal);
    } finally {
      if (signal === 'SIGKILL') await cluster.restartNode(old);
      else process.kill(old.pid, 'SIGCONT');
    }
    await untilWhole(cluster);
    // The old primary is back, as a replica. It answers nothing.
    expect(await askNode(old, client => client.info('replication'))).toContain('role:slave');
    expect(await portOf(redis, id)).not.toBe(old.port);
  },
);

test('a connection leaves a primary that changes places with its replica in order', async () => {
  const { id } = aSale();
  const redis = open();
  const old = await ownerOf(cluster, slotOf(id));
  await leadsTo(redis, id, old);
  const replica = await replicaOf(old);
  await takeOver(replica);
  await leadsTo(redis, id, replica);
  await untilWhole(cluster);
  expect(await redis.of(id).set(`${bucketOf(id)}:probe`, '1')).toBe('OK');
});

/** Lets a replica become the primary. A node gives up after 5 s, as on a busy machine, and is asked again then. */
async function takeOver(replica: ClusterNode): Promise<void> {
  const isPrimary = async () => (await askNode(replica, client => client.info('replication'))).includes('role:master');
  await eventually(async () => {
    await askNode(replica, client => client.cluster('FAILOVER'));
    expect(await until(isPrimary, FAILOVER_MS)).toBe(true);
  });
}

async function replicaOf(primary: ClusterNode): Promise<ClusterNode> {
  for (const node of cluster.nodes) {
    const info = await askNode(node, client => client.info('replication'));
    if (info.includes(`master_port:${primary.port}\r\n`)) return node;
  }
  throw new Error('each primary has a replica');
}
