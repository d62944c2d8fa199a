import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { readConfig } from '#core/process/config.js';
import { connectRedis, waitUntilReady } from '#core/redis/connection.js';
import { REDIS_SETTINGS } from '#core/redis/server/target.js';
import { freePort } from '#stack/processes/free-port.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../support/eventually.js';
import { type Member, startReplica } from '../support/redis/replica.js';
import { type Sentinels, startSentinel, startSentinels } from '../support/redis/sentinels.js';

// How a connection finds the primary by Sentinels that have a password of their own.

const READY_MS = 25_000;
/** It only ends a test that fails, before its time-out does. The Sentinels are asked every 500 ms. */
const FOLLOWS_MS = 10_000;
const PASSWORD = 'canary-of-the-Sentinels';

let dir: string;
let server: RedisServer;
let replica: Member;
let sentinels: Sentinels;
/** A Sentinel that was cut off long ago: it names a primary that is dead. */
let stale: Awaited<ReturnType<typeof startSentinel>>;
let staleDir: string;
let opened: Redis[] = [];

beforeAll(async () => {
  dir = await createTemporaryFolder();
  server = await startRedis({ dir });
  replica = await startReplica(server.url);
  sentinels = await startSentinels(server.port, PASSWORD);
  staleDir = await createTemporaryFolder();
  stale = await startSentinel(staleDir, await freePort(), [`requirepass ${PASSWORD}`]);
}, 120_000);
afterEach(() => {
  for (const redis of opened) redis.disconnect();
  opened = [];
});
afterAll(async () => {
  await stale?.process.stop();
  await sentinels?.stop();
  await replica?.stop();
  await server?.stop();
  for (const folder of [dir, staleDir]) if (folder) await removeTemporaryFolder(folder);
});

/** Starts a Redis of which no Sentinel knows. */
async function startAlone(): Promise<{ redis: RedisServer; dir: string }> {
  const dir = await createTemporaryFolder();
  return { dir, redis: await startRedis({ dir }) };
}

function open(url: string): { redis: Redis; errors: Error[] } {
  const errors: Error[] = [];
  const config = readConfig(REDIS_SETTINGS, { REDIS_URL: url, REDIS_SENTINEL_PASSWORD: PASSWORD });
  const redis = connectRedis(config, 'api', error => errors.push(error));
  opened.push(redis);
  return { redis, errors };
}

const portBehind = async (redis: Redis) => Number(/tcp_port:(\d+)/.exec(await redis.info('server'))?.[1]);

/** The address with the stale Sentinel in front of the others. */
const withStale = () => sentinels.url.replace('://', `://127.0.0.1:${stale.port},`);

test('a failover that an operator orders moves every connection, and a Sentinel that names a dead primary does no harm', async () => {
  const { redis } = open(sentinels.url);
  await waitUntilReady(redis, READY_MS);
  expect(await portBehind(redis)).toBe(server.port);
  await eventually(() => sentinels.failOver(), READY_MS);
  await eventually(async () => expect(await portBehind(redis)).toBe(replica.port), READY_MS);
  const second = open(withStale());
  await eventually(async () => expect(await portBehind(second.redis)).toBe(replica.port), READY_MS);
});

test('a connection follows a Sentinel that named no primary for a while', async () => {
  const [first, second] = await Promise.all([startAlone(), startAlone()]);
  const alone = await startSentinel(join(first.dir, 'sentinel'), first.redis.port, [`requirepass ${PASSWORD}`]);
  const asked = new Redis({ port: alone.port, password: PASSWORD });
  const failures = async () => Number(/total_error_replies:(\d+)/.exec(await asked.info('stats'))?.[1]);
  try {
    const { redis } = open(`redis+sentinel://127.0.0.1:${alone.port}/main/0`);
    await waitUntilReady(redis, READY_MS);
    expect(await portBehind(redis)).toBe(first.redis.port);
    await asked.call('SENTINEL', 'REMOVE', 'main');
    const before = await failures();
    await eventually(async () => expect(await failures()).toBeGreaterThan(before), READY_MS);
    // The first one still is a primary and answers, so nothing but the Sentinel tells that it is left.
    await asked.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', second.redis.port, 1);
    await eventually(async () => expect(await portBehind(redis)).toBe(second.redis.port), FOLLOWS_MS);
  } finally {
    asked.disconnect();
    await alone.process.stop();
    for (const { redis, dir } of [first, second]) {
      await redis.stop();
      await removeTemporaryFolder(dir);
    }
  }
});

test('Sentinels that do not know the name say so, without a password', async () => {
  const { redis, errors } = open(sentinels.url.replace('/main/', '/other/').replace('://', '://user:canary@'));
  await eventually(() => expect(errors.length).toBeGreaterThan(0));
  expect(redis.status).not.toBe('ready');
  expect(errors[0]?.message).toContain('no Sentinel names a primary other');
  expect(errors.map(({ message }) => message).join()).not.toMatch(/canary/);
});
