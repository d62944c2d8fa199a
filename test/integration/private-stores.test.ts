import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { checkout } from '#core/process/checkout.js';
import { untilNoneLeft } from '#stack/processes/until.js';
import { startPostgres } from '#stack/stores/postgres-server.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import { startRedis } from '#stack/stores/redis-server.js';

const CLEANUP_DEADLINE_MS = 60_000;

let stores: PrivateStores;
/** A folder for further data folders, removed together with the stores. */
let scratch: string;

beforeAll(async () => {
  stores = await startPrivateStores();
  scratch = join(stores.folder, 'scratch');
  await mkdir(scratch, { mode: 0o711 });
});

afterAll(() => stores.stop());

async function inRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function inPostgres(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('both stores answer and run with durable settings', async () => {
  const settings = await inRedis(stores.redisUrl, async redis => [
    ...((await redis.config('GET', 'appendonly')) as string[]),
    ...((await redis.config('GET', 'appendfsync')) as string[]),
    ...((await redis.config('GET', 'maxmemory-policy')) as string[]),
  ]);
  expect(settings).toEqual(expect.arrayContaining(['yes', 'always', 'noeviction']));
  const rows = await inPostgres(
    stores.databaseUrl,
    `SELECT current_database(), current_setting('fsync'), current_setting('synchronous_commit'),
            current_setting('TimeZone'), current_setting('server_encoding'), current_setting('listen_addresses')`,
  );
  expect(rows).toEqual([['dropline', 'on', 'on', 'UTC', 'UTF8', '127.0.0.1']]);
});

test('createDatabase creates a database, and is idempotent', async () => {
  const url = await stores.postgres.createDatabase('another');
  expect(await stores.postgres.createDatabase('another')).toBe(url);
  expect(await inPostgres(url, 'SELECT current_database()')).toEqual([['another']]);
  await expect(stores.postgres.createDatabase('x; DROP DATABASE dropline')).rejects.toThrow('not a database name');
});

test('Redis restarts with its data on the same folder and port after kill -9', async () => {
  const dir = join(scratch, 'redis with a space');
  const first = await startRedis({ dir });
  await inRedis(first.url, redis => redis.set('unit', '7'));
  await first.kill();
  expect(runs(first.pid)).toBe(false);
  const second = await startRedis({ dir, port: first.port });
  expect(second.url).toBe(first.url);
  expect(await inRedis(second.url, redis => redis.get('unit'))).toBe('7');
  await second.stop();
});

test('Postgres restarts with its data on the same folder and port after kill -9', async () => {
  const dir = join(scratch, 'postgres');
  const first = await startPostgres({ dir });
  await inPostgres(first.url, 'CREATE TABLE kept AS SELECT 7 AS unit');
  await first.kill();
  expect(runs(first.pid)).toBe(false);
  const second = await startPostgres({ dir, port: first.port });
  expect(second.url).toBe(first.url);
  expect(await inPostgres(second.url, 'SELECT unit FROM kept')).toEqual([[7]]);
  await second.stop();
});

test('data in a data folder survives a restart of both stores', async () => {
  const dataDir = join(scratch, 'data');
  const before = await startPrivateStores({ dataDir });
  await inRedis(before.redisUrl, redis => redis.set('unit', '8'));
  await inPostgres(before.databaseUrl, 'CREATE TABLE kept AS SELECT 8 AS unit');
  await before.stop();
  const after = await startPrivateStores({ dataDir });
  expect(await inRedis(after.redisUrl, redis => redis.get('unit'))).toBe('8');
  expect(await inPostgres(after.databaseUrl, 'SELECT unit FROM kept')).toEqual([[8]]);
  await after.stop();
});

interface Held {
  pids: number[];
  folder: string;
}

async function holdStores(): Promise<{ holder: ChildProcess; held: Held }> {
  const main = join(checkout, 'test', 'support', 'stores', 'hold-stores.ts');
  const holder = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', main], {
    cwd: checkout,
    // The cache of tsx would leave a folder behind.
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: holder.stdout }), 'line');
  return { holder, held: JSON.parse(line) };
}

// SIGINT goes to the whole process group, as Ctrl-C does.
test.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
  'no process and no folder is left after the parent got %s',
  async signal => {
    const { holder, held } = await holdStores();
    expect(held.pids.map(runs)).toEqual([true, true]);
    expect(existsSync(held.folder)).toBe(true);
    process.kill(-Number(holder.pid), signal);
    const left = () => [
      ...held.pids.filter(runs).map(pid => `process ${pid} runs`),
      ...(existsSync(held.folder) ? [`${held.folder} is there`] : []),
    ];
    expect(await untilNoneLeft(left, CLEANUP_DEADLINE_MS)).toEqual([]);
  },
);
