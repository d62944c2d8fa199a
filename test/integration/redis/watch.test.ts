import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis as AnyRedis } from 'ioredis';
import { ConfigError } from '#core/process/config.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { freePort } from '#stack/processes/free-port.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../../support/eventually.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { startSentinel } from '../../support/redis/sentinels.js';
import { type FaultProxy, startFaultProxy } from '../../support/stores/fault-proxy.js';

// A connection stays on the primary, and leaves every other server. The servers are real ones that are made replicas by hand.

/** It only ends a test that fails: a connection is checked every 500 ms. */
const FOLLOWS_MS = 12_000;
/** The checks after which a connection counts as stable: one that is left has no more than 6. */
const CHECKS = 8;
/** The other server has more databases than the 16 of the first one. */
const DATABASES = 32;
const ABSENT = 20;

let dirs: string[];
let first: RedisServer;
let second: RedisServer;
/** Connections without any care, to order the servers about. */
let firstBy: AnyRedis;
let secondBy: AnyRedis;
let sentinel: Awaited<ReturnType<typeof startSentinel>>;
let sentinelBy: AnyRedis;
let proxy: FaultProxy;
let opened: AnyRedis[] = [];

beforeAll(async () => {
  dirs = await Promise.all([1, 2, 3].map(createTemporaryFolder));
  const [one = '', two = '', three = ''] = dirs;
  first = await startRedis({ dir: one, settings: ['--unixsocket', join(one, 'redis.sock')] });
  second = await startRedis({ dir: two, settings: ['--databases', String(DATABASES)] });
  sentinel = await startSentinel(three, first.port, []);
  firstBy = new AnyRedis(first.port);
  secondBy = new AnyRedis(second.port);
  sentinelBy = new AnyRedis(sentinel.port);
  proxy = await startFaultProxy(first.url);
});
afterEach(async () => {
  for (const redis of opened) redis.disconnect();
  opened = [];
  await Promise.all([firstBy?.replicaof('NO', 'ONE'), secondBy?.replicaof('NO', 'ONE')]);
  proxy.set({ kind: 'none' });
  proxy.lead(first.url);
});
afterAll(async () => {
  for (const redis of [firstBy, secondBy, sentinelBy]) redis?.disconnect();
  await proxy?.close();
  await sentinel?.process.stop();
  for (const server of [first, second]) await server?.stop();
  for (const dir of dirs) await removeTemporaryFolder(dir);
});

type Profile = Parameters<typeof connectRedis>[1];

interface Opened {
  redis: Redis;
  errors: string[];
}

function open(url: string, profile: Profile = 'api'): Opened {
  const errors: string[] = [];
  const redis = connectRedis(url, profile, error => errors.push(error.message));
  opened.push(redis);
  return { redis, errors };
}

function duplicateOf({ redis }: Opened): AnyRedis {
  const duplicate = redis.duplicate();
  duplicate.on('error', () => undefined);
  opened.push(duplicate);
  return duplicate;
}

const bySentinel = (port = sentinel.port) => `redis+sentinel://127.0.0.1:${port}/main/0`;
const portBehind = async (redis: AnyRedis) => Number(/tcp_port:(\d+)/.exec(await redis.info('server'))?.[1]);
/** Waits until a connection may be used, and leads to a server. INFO is answered before the connection is accepted. */
const leadsTo = (redis: AnyRedis, server: RedisServer) =>
  eventually(async () => {
    expect(redis.status).toBe('ready');
    expect(await portBehind(redis)).toBe(server.port);
  }, FOLLOWS_MS);

/** Makes a server a replica of nothing. It answers on, and its open connections stay. */
const demote = async (server: AnyRedis) => server.replicaof('127.0.0.1', await freePort());
const promote = async (server: AnyRedis) => server.replicaof('NO', 'ONE');

/** Waits until connections to a server were checked several times each. */
async function untilChecked(server: AnyRedis, connections: number): Promise<void> {
  const count = async () => (await readCommandCalls(server)).info ?? 0;
  // Each count is a question itself.
  let asked = 1;
  const before = await count();
  await eventually(async () => {
    asked += 1;
    expect((await count()) - before - asked).toBeGreaterThan(CHECKS * connections);
  });
}

describe('a connection is left', () => {
  test.each(['READONLY You write to a replica', 'MASTERDOWN Link is down', 'LOADING Redis is loading'])(
    'at once after the reply %j, and so is its duplicate',
    async reply => {
      const one = open(first.url);
      const duplicate = duplicateOf(one);
      for (const redis of [one.redis, duplicate]) await waitUntilReady(redis, FOLLOWS_MS);
      let closed = 0;
      for (const redis of [one.redis, duplicate]) redis.once('close', () => (closed += 1));
      // The server is a primary, so no check would leave it.
      await one.redis.eval(`return redis.error_reply('${reply}')`, 0).catch(() => undefined);
      await eventually(() => expect(closed).toBe(2), FOLLOWS_MS);
      for (const redis of [one.redis, duplicate]) await leadsTo(redis, first);
    },
  );

  test('when its server was demoted, although it sends nothing, and so is its duplicate', async () => {
    const one = open(proxy.through(first.url));
    const duplicate = duplicateOf(one);
    for (const redis of [one.redis, duplicate]) await leadsTo(redis, first);
    proxy.moveTo(second.url);
    await demote(firstBy);
    for (const redis of [one.redis, duplicate]) await leadsTo(redis, second);
  });

  test('when its server is a replica, or becomes one again after it was promoted', async () => {
    await demote(firstBy);
    const { redis, errors } = open(first.url);
    await eventually(() => expect(errors.filter(said => said.includes('is a replica')).length).toBeGreaterThan(1));
    expect(redis.status).not.toBe('ready');
    await promote(firstBy);
    await eventually(() => expect(redis.status).toBe('ready'), FOLLOWS_MS);
    await demote(firstBy);
    await eventually(() => expect(redis.status).not.toBe('ready'), FOLLOWS_MS);
  });
});

test('a server without the database is refused by name, until another one has it', async () => {
  const { redis } = open(`${proxy.through(first.url)}/${ABSENT}`);
  const refused = await waitUntilReady(redis, FOLLOWS_MS).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ConfigError);
  expect((refused as Error).message).toMatch(/^REDIS_URL names database 20, which the Redis at 127.0.0.1:\d+ does not/);
  proxy.lead(second.url);
  await leadsTo(redis, second);
  expect(await redis.client('INFO')).toContain(` db=${ABSENT} `);
});

describe('a connection by a Sentinel', () => {
  /** Returns how many connections the Sentinel has, but for those of servers and of this test. */
  async function askers(): Promise<number> {
    const lines = String(await sentinelBy.client('LIST'))
      .trim()
      .split('\n');
    return lines.filter(line => !line.includes('cmd=client')).length;
  }

  const name = (server: RedisServer) => sentinelBy.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', server.port, 1);
  const unname = () => sentinelBy.call('SENTINEL', 'REMOVE', 'main');

  test('follows it to another primary, also after it named none for a while', async () => {
    const one = open(bySentinel());
    const duplicate = duplicateOf(one);
    for (const redis of [one.redis, duplicate]) await leadsTo(redis, first);
    const failures = async () => Number(/total_error_replies:(\d+)/.exec(await sentinelBy.info('stats'))?.[1]);
    const before = await failures();
    await unname();
    await eventually(async () => expect(await failures()).toBeGreaterThan(before + 2), FOLLOWS_MS);
    // The first one still is a primary and answers, so nothing but the Sentinel tells that it is left.
    await name(second);
    for (const redis of [one.redis, duplicate]) await leadsTo(redis, second);
    expect(one.errors.join()).toContain('Sentinel names another primary');
    await unname();
    await name(first);
  });

  test.each<[string, (redis: Redis) => unknown]>([
    ['is disconnected', redis => redis.disconnect()],
    ['quits', redis => redis.quit()],
  ])('asks the Sentinel no more once it %s', async (_, end) => {
    await eventually(async () => expect(await askers()).toBe(0), FOLLOWS_MS);
    const { redis } = open(bySentinel());
    await leadsTo(redis, first);
    expect(await askers()).toBe(1);
    await end(redis);
    await eventually(async () => expect(await askers()).toBe(0), FOLLOWS_MS);
  });

  test('asks the Sentinel no more once it is disconnected while it waits to reconnect', async () => {
    await unname();
    const { redis, errors } = open(bySentinel());
    await eventually(() => expect(errors.length).toBeGreaterThan(2), FOLLOWS_MS);
    await eventually(() => expect(redis.status).toBe('reconnecting'), FOLLOWS_MS);
    expect(await askers()).toBe(1);
    redis.disconnect();
    await eventually(async () => expect(await askers()).toBe(0), FOLLOWS_MS);
    await name(first);
  });
});

describe('a connection stays', () => {
  test('while the primary answers: by its address, its socket and its Sentinel', async () => {
    const urls = [first.url, `unix://${join(dirs[0] ?? '', 'redis.sock')}`, bySentinel()];
    const all = urls.map(url => open(url));
    for (const { redis } of all) await waitUntilReady(redis, FOLLOWS_MS);
    const ids = await Promise.all(all.map(({ redis }) => redis.client('ID')));
    await untilChecked(firstBy, all.length);
    expect(await Promise.all(all.map(({ redis }) => redis.client('ID')))).toEqual(ids);
    expect(all.flatMap(({ errors }) => errors)).toEqual([]);
    expect(await Promise.all(all.map(({ redis }) => portBehind(redis)))).toEqual(all.map(() => first.port));
  });

  test('after an error that only has the word of a replica in its text', async () => {
    const { redis } = open(first.url);
    await waitUntilReady(redis, FOLLOWS_MS);
    const id = await redis.client('ID');
    const failed = redis.eval("return redis.error_reply('ERR no READONLY, LOADING or MASTERDOWN')", 0);
    await expect(failed).rejects.toThrow('ERR no READONLY');
    expect(await redis.client('ID')).toBe(id);
  });
});

describe('a connection is left after a while', () => {
  test('when its server falls silent, and so is its duplicate', async () => {
    const one = open(proxy.through(first.url));
    const duplicate = duplicateOf(one);
    for (const redis of [one.redis, duplicate]) await waitUntilReady(redis, FOLLOWS_MS);
    proxy.set({ kind: 'half-open' });
    await eventually(
      () => expect(one.errors.join()).toContain('Socket closed: Redis did not answer for 2000 ms'),
      FOLLOWS_MS,
    );
    proxy.set({ kind: 'none' });
    for (const redis of [one.redis, duplicate]) await leadsTo(redis, first);
  });

  test('when its server has said nothing from the beginning', async () => {
    proxy.set({ kind: 'half-open' });
    const { redis, errors } = open(proxy.through(first.url), 'worker');
    await eventually(
      () => expect(errors.join()).toContain('Socket closed: Redis did not answer for 5000 ms'),
      FOLLOWS_MS,
    );
    proxy.set({ kind: 'none' });
    await leadsTo(redis, first);
  });
});
