import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSale } from '#core/operator/create-sale.js';
import { release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { connectShards } from '#core/redis/cluster.js';
import { connectRedis, waitUntilReady } from '#core/redis/connection.js';
import { readLoadedSale, restock } from '#core/redis/sale/sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Shards } from '#core/redis/shards.js';
import { freePort } from '#stack/processes/free-port.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { build } from '../../support/build.js';
import { cli } from '../../support/command.js';
import { eventually } from '../../support/eventually.js';
import { aSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// A Redis Cluster of one node. Like a larger one it refuses a script whose keys are in several slots.

const READY_MS = 60_000;

const t = useStores();
let dir: string;
let server: RedisServer;
let redis: Shards;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dropline-cluster-'));
  // The default port of the cluster bus, 10,000 above the port, may be beyond the last port.
  const settings = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
  server = await startRedis({ dir, settings });
  const node = connectRedis(server.url, 'steps', () => undefined);
  await waitUntilReady(node, READY_MS);
  await node.cluster('ADDSLOTSRANGE', 0, 16_383);
  await eventually(async () => expect(await node.cluster('INFO')).toContain('cluster_state:ok'));
  node.disconnect();
  redis = connectShards(server.url.replace('redis:', 'redis+cluster:'), 'steps', () => undefined);
  await Promise.all(redis.shards.map(shard => waitUntilReady(shard, READY_MS)));
  defineScripts(redis);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

test('the command line refuses a Cluster with one line', async () => {
  await build();
  const options = ['--id', 'refused', '--units', '1', '--price', '1', '--one-at-a-time'];
  const ended = await cli(['sale', 'create', ...options], { REDIS_URL: server.url, DATABASE_URL: t.databaseUrl });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^[^\n]*leads to a Redis Cluster[^\n]*\n$/);
});

test('the command line refuses a database that is not there with one line', async () => {
  const { exitCode, stderr } = await cli(['audit', 'none'], {
    REDIS_URL: `${t.redisUrl}/99`,
    DATABASE_URL: t.databaseUrl,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^[^\n]*REDIS_URL names database 99[^\n]*\n$/);
});

test('a sale is sold as on a single Redis', async () => {
  const sale = aSale({ units: 2, standbyFactor: 1 });
  expect(await createSale({ db: t.db, redis }, sale)).toBe(true);
  const claim = await winOne({ redis }, sale, 'ann');
  await winOne({ redis }, sale, 'bob');
  await recordStatus(redis, sale.id, [{ ...claim, status: 'pending_payment', payByMs: Date.now() }]);
  await release(redis, sale.id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
  await restock(redis, { ...sale, units: 3 });
  expect(await readLoadedSale(redis, sale.id)).toMatchObject({ remaining: 2, unplaced: 1 });
});
