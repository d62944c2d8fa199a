import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { startPostgres } from '#stack/stores/postgres-server.js';
import { startRedis } from '#stack/stores/redis-server.js';
import { cli } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { SHOP_SECRET, startShop, type TestShop } from '../support/http/shop.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { dumpStores } from './store-dump.js';
import { createRedisUser, grantLeastRights, PASSWORD, type StoreUrls } from './store-users.js';

// Every process has the least rights (the users of deploy/), and no log, no store and no page shows a secret. A new
// command of a process fails here first.

const PRICE = 500;
const MONEY = ['--buyer', 'ann', '--amount', '5000'];

let stack: TestStack;
let urls: StoreUrls;
let fake: FakeProvider;
let shop: TestShop;
let logged = '';
/** The contents of the stores, also before Redis was emptied, and the pages that the console has shown. */
const seen: string[] = [];
/** Stop the stores that a test has restarted. */
const endings: (() => Promise<void>)[] = [];
/** A secret that a shop may have in the address of its webhook. */
const SHOP_KEY = 'canary-in-the-address-of-the-shop';
/** Secrets of this run that no log, store or page may show. Each test adds its own. */
const canaries = new Set([PASSWORD, SHOP_SECRET, SHOP_KEY]);

beforeAll(async () => {
  const log = new PassThrough().on('data', chunk => {
    logged += chunk;
  });
  [fake, shop] = await Promise.all([startFakeProvider('http://127.0.0.1:9/'), startShop()]);
  shop.answers = ({ type }, times) => (type === 'order.refunded' && times === 1 ? 500 : 200);
  stack = await startTestStack({
    admin: true,
    log,
    env: {
      ...fake.settings,
      SHOP_WEBHOOK_URL: `${shop.url}?key=${SHOP_KEY}`,
      SHOP_WEBHOOK_SECRET: SHOP_SECRET,
      LOG_LEVEL: 'debug',
    },
    urls: async stores => {
      urls = await grantLeastRights(stores);
      return urls;
    },
  });
  await fake.mood({ webhook: `${stack.baseUrl}/webhooks/payments/signed-webhook` });
  const { PAYMENT_PROVIDER_KEY: key = '' } = fake.settings;
  for (const canary of [stack.authSecret, stack.adminToken, key, fake.secret]) canaries.add(canary);
});
afterAll(async () => {
  for (const end of endings) await end();
  await stack?.stop();
  await fake?.stop();
  shop?.server.close();
});

/** Runs a command of an operator with the same rights. */
async function run(...args: string[]): Promise<string> {
  const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL } = urls;
  const { exitCode, stdout, stderr } = await cli(args, { REDIS_URL, DATABASE_URL, AUTH_SECRET: stack.authSecret });
  expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: '' });
  return stdout;
}

function createSale(id: string, ...more: string[]): Promise<string> {
  return run('sale', 'create', '--id', id, '--units', '2', '--price', String(PRICE), ...more);
}

async function becomes(buyerId: string, saleId: string, status: string): Promise<Record<string, unknown>> {
  return eventually(async () => {
    const answer = await stack.status(buyerId, saleId);
    expect(answer.status).toBe(status);
    return { ...answer };
  });
}

function bearer(buyerId: string): Record<string, string> {
  const token = stack.token(buyerId);
  canaries.add(token);
  return { authorization: `Bearer ${token}` };
}

async function buy(buyerId: string, saleId: string): Promise<Record<string, unknown>> {
  const answer = await stack.buy(buyerId, saleId);
  if (answer.receipt) canaries.add(String(answer.receipt));
  return { ...answer };
}

async function askConsole(path: string, init: RequestInit = {}): Promise<number> {
  const headers = { authorization: `Bearer ${stack.adminToken}`, accept: 'text/html' };
  const answer = await fetch(`${stack.adminUrl}${path}`, { redirect: 'manual', headers, ...init });
  seen.push(`${path} ${[...answer.headers].join(' ')} ${await answer.text()}`);
  return answer.status;
}

function expectNoSecret(texts: string[]): void {
  // No token of any kind, also none that this test doesn't know.
  expect(texts.filter(text => /eyJ[\w-]{10,}\.eyJ/.test(text))).toEqual([]);
  expect(canaries.size).toBeGreaterThan(12);
  for (const canary of canaries) {
    expect(canary.length).toBeGreaterThan(10);
    expect(texts.filter(text => text.includes(canary))).toEqual([]);
  }
}

describe('with the least rights', () => {
  test('buyers win, pay, cancel, get promoted and expire', async () => {
    await createSale('plain', '--pay-within', '2', '--one-at-a-time', '--min-seconds-between', '1');
    await run('credit', ...MONEY);
    for (const buyerId of ['ann', 'bob', 'cat', 'dan']) await buy(buyerId, 'plain');
    await becomes('ann', 'plain', 'pending_payment');
    await stack.pay('ann', 'plain');
    await becomes('ann', 'plain', 'paid');
    const waiting = fetch(`${stack.baseUrl}/order-status/plain`, { headers: { ...bearer('cat'), prefer: 'wait=10' } });
    await stack.cancel('bob', 'plain');
    expect(await (await waiting).json()).toMatchObject({ unit: 2 });
    await becomes('cat', 'plain', 'cancelled');
    await becomes('dan', 'plain', 'pending_payment');
  });

  test('a payment at a provider pays the order, and is refunded', async () => {
    await createSale('provided', '--provider', 'signed-webhook');
    const { claimId } = await buy('eve', 'provided');
    await becomes('eve', 'provided', 'pending_payment');
    await stack.pay('eve', 'provided');
    await eventually(async () => expect(await fake.payments()).toHaveLength(1));
    await fake.pay(String(claimId));
    await becomes('eve', 'provided', 'paid');
    await run('refund', String(claimId), '--restock', 'yes');
    await becomes('eve', 'provided', 'refunded');
    await eventually(() => expect(shop.received.map(({ type }) => type)).toContain('order.refunded'));
  });

  test('every command of an operator works', async () => {
    await createSale('tried', '--settlement', 'immediate');
    await buy('ann', 'tried');
    await becomes('ann', 'tried', 'paid');
    await run('sale', 'pause', 'tried');
    await run('sale', 'restock', 'tried', '--units', '1');
    // A worker may rebuild the sale at the same time. Then the command says so, and a repeat succeeds.
    await eventually(() => run('rebuild', 'tried'));
    await Promise.all([run('reconcile', 'tried'), run('audit', 'tried'), run('sale', 'list'), run('migrate')]);
    await run('sale', 'close', 'tried');
    canaries.add((await run('token', '--buyer', 'ann')).trim());
  });

  test('the console and the board show every page', async () => {
    const pages = ['/', '/sales', '/sales/plain', '/sales/plain/audit', '/money', '/buyers/ann', '/queues/api/queues'];
    for (const path of [...pages, '/readyz']) expect([path, await askConsole(path)]).toEqual([path, 200]);
    expect(await askConsole('/sales/plain/pause', { method: 'POST' })).toBeLessThan(400);
  });

  test('an emptied Redis is rebuilt', async () => {
    seen.push(...(await dumpStores(stack.stores)));
    await stack.connections.redis.flushall();
    await becomes('ann', 'plain', 'paid');
  });

  test('the stores refused no command so far, and refuse unneeded ones', async () => {
    expect(await stack.connections.redis.call('ACL', 'LOG')).toEqual([]);
    expect(logged).not.toMatch(/NOPERM|permission denied/);
    const redis = new Redis(urls.redisUrl);
    await expect(redis.flushall()).rejects.toThrow('NOPERM');
    await expect(redis.set('somebody:else', '1')).rejects.toThrow('NOPERM');
    redis.disconnect();
    const database = new pg.Client({ connectionString: urls.databaseUrl });
    await database.connect();
    for (const sql of ['DELETE FROM orders', 'UPDATE transfers SET amount_minor = 0', 'CREATE TABLE x ()']) {
      await expect(database.query(sql)).rejects.toThrow('permission denied');
    }
    await database.end();
  });
});

describe('the logs', () => {
  test('the logs hold no secret when stores and clients misbehave', async () => {
    const cookie = { cookie: `dropline_token=${stack.token('ann')}`, 'sec-fetch-site': 'same-origin' };
    canaries.add(stack.token('ann'));
    await fetch(`${stack.adminUrl}/login`, {
      method: 'POST',
      body: new URLSearchParams({ token: 'canary-wrong-token' }),
    });
    canaries.add('canary-wrong-token');
    const session = await fetch(`${stack.adminUrl}/login`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ token: stack.adminToken }),
    });
    canaries.add(String(session.headers.get('set-cookie')).split(/[=;]/)[1] ?? '');
    // Both stores die during the requests, and come back.
    const { redis, postgres, folder } = stack.stores;
    await Promise.all([redis.kill(), postgres.kill()]);
    for (const path of ['/buy/plain', '/pay/plain', '/cancel/plain']) {
      await fetch(stack.baseUrl + path, { method: 'POST', headers: bearer('ann') });
      await fetch(stack.baseUrl + path, { method: 'POST', headers: cookie });
    }
    await fetch(`${stack.baseUrl}/order-status/plain?receipt=${[...canaries].at(-1)}`, { headers: bearer('ann') });
    const signature = `t=1,v1=${fake.secret}`;
    const forged = { 'stripe-signature': signature, 'dropline-signature': signature };
    await fetch(`${stack.baseUrl}/webhooks/payments/signed-webhook`, { method: 'POST', headers: forged, body: '{}' });
    await askConsole('/sales/plain');
    await eventually(() => expect(logged).toMatch(/postgres failed/));
    expect(logged).toMatch(/redis failed/);
    const back = [
      await startRedis({ dir: `${folder}/redis`, port: redis.port }),
      await startPostgres({ dir: `${folder}/postgres`, port: postgres.port }),
    ];
    endings.push(...back.map(store => () => store.stop()));
    await createRedisUser(stack.stores.redisUrl);
    await becomes('ann', 'plain', 'paid');
    expectNoSecret(logged.split('\n'));
  });
});

describe('the stores and the console', () => {
  test('neither a key, nor a row, nor a page holds a secret', async () => {
    seen.push(...(await dumpStores(stack.stores)));
    // The facts of the run are in it: so the run was read.
    const expected = [
      '{dropline}:',
      ':plain:claims',
      'public.orders',
      'public.outbox_events',
      'HTTP 500',
      '/money ',
      '/buyers/ann ',
    ];
    for (const text of expected) expect([text, seen.some(one => one.includes(text))]).toEqual([text, true]);
    expectNoSecret(seen);
  });
});
