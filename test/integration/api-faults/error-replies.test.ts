import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { keysOf } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { freePort } from '#stack/processes/free-port.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { eventually } from '../../support/eventually.js';
import { type Answer, useApi } from '../../support/http/api.js';

// A Redis that answers but can't serve: buyers get 503, and nothing is half done. OOM and NOSCRIPT are in outage.test.ts.

const api = useApi();
/** A connection without any care: those of the product leave a server that is a replica. */
let server: Redis;

beforeAll(() => {
  server = new Redis(api.redisServer.port);
});
afterAll(() => server.disconnect());

const config = (name: string, value: string) => server.config('SET', name, value);

/** A script that may write, like the project's scripts. */
const PROBE = "#!lua\nreturn redis.call('SET', 'probe', '1')";

/** Makes a Redis answer with an error, and ends that. */
interface Trouble {
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

const readonly: Trouble = {
  // A replica of a primary that doesn't exist keeps its own data.
  begin: async () => server.replicaof('127.0.0.1', await freePort()),
  end: () => server.replicaof('NO', 'ONE'),
};

const masterdown: Trouble = {
  async begin() {
    await config('replica-serve-stale-data', 'no');
    await readonly.begin();
  },
  async end() {
    await readonly.end();
    await config('replica-serve-stale-data', 'yes');
  },
};

const noreplicas: Trouble = {
  begin: () => config('min-replicas-to-write', '1'),
  end: () => config('min-replicas-to-write', '0'),
};

/** Returns the path of the file that Redis saves to, where a folder is put instead. */
const obstacle = async () => join(((await server.config('GET', 'dir')) as string[])[1] ?? '', 'dump.rdb');

const misconf: Trouble = {
  async begin() {
    // A replica has saved the data of its primary there.
    await rm(await obstacle(), { force: true });
    await mkdir(join(await obstacle(), 'in-the-way'), { recursive: true });
    await config('save', '3600 1');
    await server.bgsave();
  },
  async end() {
    await config('save', '');
    await rm(await obstacle(), { recursive: true });
  },
};

const busy: Trouble = {
  async begin() {
    await config('busy-reply-threshold', '1');
    const other = new Redis(api.redisServer.port);
    await new Promise(resolve => other.once('ready', resolve));
    other
      .eval('while true do end', 0)
      .catch(() => undefined)
      .finally(() => other.disconnect());
  },
  async end() {
    await server.script('KILL');
    await eventually(() => config('busy-reply-threshold', '5000'));
  },
};

const KEYS = 40;
/** More than `loading-process-events-interval-bytes`, of incompressible bytes. */
const VALUE_BYTES = 2_048;
let primary: RedisServer;
let primaryDir: string;

/** Loads the data of a primary slowly: 40 keys of 50 ms each. In between, Redis answers. */
const loading: Trouble = {
  async begin() {
    primaryDir = await mkdtemp(join(tmpdir(), 'dropline-primary-'));
    primary = await startRedis({ dir: primaryDir });
    const there = new Redis(primary.port);
    await new Promise(resolve => there.once('ready', resolve));
    await there.config('SET', 'repl-diskless-sync-delay', '0');
    for (let i = 0; i < KEYS; i += 1) await there.set(`key-${i}`, randomBytes(VALUE_BYTES));
    there.disconnect();
    await config('key-load-delay', '50000');
    await config('loading-process-events-interval-bytes', '1024');
    await server.replicaof('127.0.0.1', primary.port);
  },
  async end() {
    await eventually(async () => expect(await server.info('replication')).toContain('master_link_status:up'));
    await readonly.end();
    await config('key-load-delay', '0');
    await primary.stop();
    await rm(primaryDir, { recursive: true });
  },
};

type Word = 'READONLY' | 'MASTERDOWN' | 'NOREPLICAS' | 'MISCONF' | 'BUSY' | 'LOADING';

/** Expects that Redis refuses with an error, and that the API answers 503 without naming it. */
async function expectUnavailable(
  word: Word,
  probe: () => Promise<unknown>,
  call: () => Promise<Answer>,
): Promise<void> {
  await eventually(() => expect(probe()).rejects.toThrow(new RegExp(`^${word} `)));
  const { status, headers, body } = await call();
  expect({ status, body }).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(JSON.stringify(body)).not.toMatch(new RegExp(`${word}|redis`, 'i'));
}

/** Expects that the sale is untouched, and that another one sells. */
async function expectMended(sale: Sale): Promise<void> {
  await eventually(() => expect(api.redis.status).toBe('ready'));
  expect(await api.redis.hlen(keysOf(sale.id).claims)).toBe(0);
  const next = await api.open();
  // 200: a click before was answered with 503, and made its claim all the same.
  await eventually(async () => expect([200, 202]).toContain((await api.post(`/buy/${next.id}`, 'ann')).status));
}

test.each([
  ['READONLY', readonly],
  ['NOREPLICAS', noreplicas],
  ['MISCONF', misconf],
  ['BUSY', busy],
] as const)('%s: a click gets 503 and leaves no trace, and the API sells again afterwards', async (word, trouble) => {
  const sale = await api.open();
  await trouble.begin();
  try {
    await expectUnavailable(
      word,
      () => server.eval(PROBE, 0),
      () => api.post(`/buy/${sale.id}`, 'ann'),
    );
  } finally {
    await trouble.end();
  }
  await expectMended(sale);
});

// A replica answers a write with READONLY first, so these two are tested by a read.
test.each([
  ['MASTERDOWN', masterdown],
  ['LOADING', loading],
] as const)('%s: a poll and a click get 503', async (word, trouble) => {
  const sale = await api.open();
  await api.get(`/order-status/${sale.id}`, 'ann');
  await trouble.begin();
  try {
    await expectUnavailable(
      word,
      () => server.get('probe'),
      () => api.get(`/order-status/${sale.id}`, 'ann'),
    );
    expect((await api.post(`/buy/${sale.id}`, 'ann')).status).toBe(503);
  } finally {
    await trouble.end();
  }
  await expectMended(sale);
});
