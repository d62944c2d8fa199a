import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Redis as AnyRedis } from 'ioredis';
import { ConfigError } from '#core/process/config.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import { waitForFitRedis } from '#core/redis/server/fitness.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../support/eventually.js';
import { type Member, startReplica } from '../support/redis/replica.js';
import { type FaultProxy, startFaultProxy } from '../support/stores/fault-proxy.js';

// Every connection of the product meets a server that is no primary, hangs, or lacks the database.

const READY_MS = 30_000;

let dir: string;
let server: RedisServer;
let primary: AnyRedis;
let replica: Member;
let address: FaultProxy;
let opened: AnyRedis[] = [];

beforeAll(async () => {
  dir = await createTemporaryFolder();
  server = await startRedis({ dir, settings: ['--unixsocket', join(dir, 'redis.sock')] });
  primary = new AnyRedis(server.url);
  replica = await startReplica(server.url);
  address = await startFaultProxy(server.url);
}, 60_000);
afterEach(async () => {
  for (const redis of opened) redis.disconnect();
  opened = [];
  address.lead(server.url);
  await primary.replicaof('NO', 'ONE');
  await replica.redis.replicaof('127.0.0.1', server.port);
});
afterAll(async () => {
  primary?.disconnect();
  await address?.close();
  await replica?.stop();
  await server?.stop();
  if (dir) await removeTemporaryFolder(dir);
});

type Profile = Parameters<typeof connectRedis>[1];

function open(url: string, profile: Profile = 'api'): { redis: Redis; errors: Error[] } {
  const errors: Error[] = [];
  const redis = connectRedis(url, profile, error => errors.push(error));
  defineScripts(redis);
  opened.push(redis);
  return { redis, errors };
}

const portBehind = async (redis: AnyRedis) => Number(/tcp_port:(\d+)/.exec(await redis.info('server'))?.[1]);

async function leadsTo(redis: AnyRedis, port: number): Promise<void> {
  await eventually(async () => expect(await portBehind(redis)).toBe(port), READY_MS);
}

/** Makes the replica the primary, and the primary a replica. The open connections stay. */
async function failOver(): Promise<void> {
  await replica.redis.replicaof('NO', 'ONE');
  await primary.replicaof('127.0.0.1', replica.port);
}

test.each(['api', 'steps', 'worker', 'feed'] as const)(
  'a silent connection of %s leaves a server that was demoted',
  async profile => {
    const { redis } = open(address.through(server.url), profile);
    await leadsTo(redis, server.port);
    await failOver();
    await eventually(() => expect(redis.status).not.toBe('ready'), READY_MS);
    address.moveTo(replica.url);
    await leadsTo(redis, replica.port);
  },
);

test('a connection that subscribes leaves a demoted server, too', async () => {
  const { redis } = open(address.through(server.url), 'feed');
  await waitUntilReady(redis, READY_MS);
  await redis.subscribe('{any}:changes');
  await failOver();
  await eventually(() => expect(redis.status).not.toBe('ready'), READY_MS);
  address.moveTo(replica.url);
  await eventually(() => expect(redis.status).toBe('ready'), READY_MS);
});

test('the first READONLY is the last one: the connection is left at once', async () => {
  const { redis } = open(address.through(server.url));
  await leadsTo(redis, server.port);
  await failOver();
  address.moveTo(replica.url);
  const errors: Error[] = [];
  const write = () => redis.set('probe', '1').catch(error => void errors.push(error));
  while ((await write()) !== 'OK') await turn();
  expect(errors.filter(({ message }) => message.startsWith('READONLY')).length).toBeLessThanOrEqual(1);
  expect(await portBehind(redis)).toBe(replica.port);
});

test('no connection becomes ready on a replica', async () => {
  const { redis, errors } = open(replica.url);
  await eventually(() =>
    expect(errors.filter(({ message }) => message.includes('is a replica')).length).toBeGreaterThan(2),
  );
  expect(redis.status).not.toBe('ready');
  await replica.redis.replicaof('NO', 'ONE');
  await leadsTo(redis, replica.port);
});

test('a connection and its duplicate leave a frozen server', async () => {
  const { redis, errors } = open(address.through(server.url));
  await waitUntilReady(redis, READY_MS);
  const duplicate = redis.duplicate();
  opened.push(duplicate);
  duplicate.on('error', () => undefined);
  await waitUntilReady(duplicate, READY_MS);
  await replica.redis.replicaof('NO', 'ONE');
  process.kill(server.pid, 'SIGSTOP');
  try {
    address.moveTo(replica.url);
    for (const one of [redis, duplicate]) await leadsTo(one, replica.port);
    // Without this check, both would wait for the longer time-out of their sockets.
    expect(errors.map(({ message }) => message).join()).toContain('Redis did not answer for');
  } finally {
    process.kill(server.pid, 'SIGCONT');
  }
});

test('a database that does not exist is refused by name, and no command runs in another one', async () => {
  const { redis } = open(`${server.url}/99`);
  await expect(waitForFitRedis(redis)).rejects.toThrow(ConfigError);
  await expect(waitForFitRedis(redis)).rejects.toThrow(
    /^REDIS_URL names database 99, which the Redis at 127\.0\.0\.1:\d+ does not/,
  );
  await expect(redis.set('astray', '1')).rejects.toThrow();
  expect(await primary.get('astray')).toBeNull();
});

test('a database that exists is used', async () => {
  const { redis } = open(`${server.url}/7`);
  await waitForFitRedis(redis);
  expect(await redis.client('INFO')).toContain(' db=7 ');
});

test('a unix socket leads to Redis and to a database', async () => {
  const { redis } = open(`unix://${join(dir, 'redis.sock')}?db=3`);
  await waitForFitRedis(redis);
  expect(await portBehind(redis)).toBe(server.port);
  expect(await redis.client('INFO')).toContain(' db=3 ');
});
