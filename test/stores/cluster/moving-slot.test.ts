import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { createSale } from '#core/operator/create-sale.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { bucketOf, keysOf, markKeyOf } from '#core/redis/keys.js';
import { readLoadedSale, setSale } from '#core/redis/sale/sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Shards } from '#core/redis/shards.js';
import type { Sale } from '#core/rules/sale.js';
import { type Connections, connectInstallation } from '#stack/stores/connections.js';
import { type PrivateStores, startClusterStores } from '#stack/stores/private-stores.js';
import { askNode, type ClusterNode, type RedisCluster } from '#stack/stores/redis-cluster.js';
import { eventually } from '../../support/eventually.js';
import {
  beginSlotMove,
  endSlotMove,
  moveKeys,
  moveSlot,
  moveTheseKeys,
  type SlotMove,
} from '../../support/redis/move-slot.js';
import { ownerOf, slotOf } from '../../support/redis/slot-owner.js';
import { aSale, winOne } from '../../support/sales.js';

// A slot with a sale moves from one primary to another, while buyers come.

const READY_MS = 60_000;

let stores: PrivateStores<RedisCluster>;
let t: Connections<Shards>;
let begun: SlotMove[] = [];

beforeAll(async () => {
  stores = await startClusterStores({ primaries: 2 });
  await migrate(stores.databaseUrl);
  t = await connectInstallation(stores.redisUrl, stores.databaseUrl);
}, 120_000);
afterEach(async () => {
  for (const move of begun) {
    while ((await moveKeys(move)) > 0);
    await endSlotMove(move, stores.redis.nodes);
  }
  begun = [];
});
afterAll(async () => {
  await t?.close();
  await stores?.stop();
}, 60_000);

async function aLoadedSale(): Promise<{ sale: Sale; move: SlotMove }> {
  const sale = aSale({ units: 3 });
  // An earlier test may have moved the slot a moment ago.
  await eventually(() => t.redis.of(sale.id).exists(keysOf(sale.id).sale));
  await createSale(t, sale);
  await winOne(t, sale, 'ann');
  const from = await ownerOf(stores.redis, slotOf(sale.id));
  const to = stores.redis.nodes.find(node => node !== from) as ClusterNode;
  return { sale, move: { slot: slotOf(sale.id), from, to } };
}

async function begin(move: SlotMove): Promise<void> {
  await beginSlotMove(move);
  begun.push(move);
}

/** Returns all keys of a bucket on both nodes, with what they hold. */
async function contentOf({ slot, from, to }: SlotMove): Promise<Record<string, string>[]> {
  const read = (node: ClusterNode) =>
    askNode(node, async client => {
      const keys = (await client.cluster('GETKEYSINSLOT', slot, 1_000)) as string[];
      const dumped = keys.sort().map(async key => {
        const [, value] = ((await client.pipeline([['asking'], ['dumpBuffer', key]]).exec()) ?? [])[1] ?? [];
        return [key, (value as Buffer).toString('hex')];
      });
      return Object.fromEntries(await Promise.all(dumped));
    });
  return Promise.all([read(from), read(to)]);
}

/** Connects to one node as to a Redis alone: its scripts name no key that never exists. */
async function withoutGuard<T>({ url }: ClusterNode, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = connectRedis(url, 'steps', () => undefined);
  defineScripts(redis);
  try {
    await waitUntilReady(redis, READY_MS);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

test('a script is refused as a whole while a part of its keys is elsewhere, and so is a reading', async () => {
  const { sale, move } = await aLoadedSale();
  await begin(move);
  await moveTheseKeys(move, [markKeyOf(bucketOf(sale.id), 'changed'), keysOf(sale.id).claims]);
  const before = await contentOf(move);
  expect(before.map(keys => Object.keys(keys).length > 0)).toEqual([true, true]);
  await expect(winOne(t, sale, 'bob')).rejects.toThrow(/TRYAGAIN|ASK/);
  await expect(setSale(t.redis, sale.id, { state: 'paused' }, { generation: 2 })).rejects.toThrow(/TRYAGAIN|ASK/);
  await expect(readLoadedSale(t.redis, sale.id)).rejects.toThrow(/ASK/);
  expect(await contentOf(move)).toEqual(before);
});

test('without the key that never exists, a script begins on the part of the keys that is still there', async () => {
  const { sale, move } = await aLoadedSale();
  await begin(move);
  await moveTheseKeys(move, [markKeyOf(bucketOf(sale.id), 'changed')]);
  const set = (redis: Shards) => setSale(redis, sale.id, { state: 'paused' }, { generation: 2 });
  const stateNow = () => askNode(move.from, client => client.hget(keysOf(sale.id).sale, 'state'));
  await expect(set(t.redis)).rejects.toThrow(/TRYAGAIN/);
  expect(await stateNow()).toBe('open');
  // Redis breaks some scripts off at the first key that is elsewhere, and undoes nothing.
  await withoutGuard(move.from, set).catch(error => expect(error.message).toMatch('non local key'));
  expect(await stateNow()).toBe('paused');
});

test('after its slot has moved, a sale gives nothing out until it was compared, and continues with the same claims', async () => {
  const { sale, move } = await aLoadedSale();
  await moveSlot(move, stores.redis.nodes);
  await eventually(async () =>
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ claims: 1, remaining: 2 }),
  );
  await expect(winOne(t, sale, 'bob')).rejects.toThrow('bob got no unit');
  await eventually(() => reconcileAll(t));
  expect((await winOne(t, sale, 'bob')).unit).toBe(2);
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ claims: 2, remaining: 1, unplaced: 2 });
});
