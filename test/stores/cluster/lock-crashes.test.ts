import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { issueToken } from '#core/identity/token.js';
import { createSale } from '#core/operator/create-sale.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { readBuyers } from '#core/redis/sale/content.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import type { Shards } from '#core/redis/shards.js';
import type { Sale } from '#core/rules/sale.js';
import { type Call, createStorefront, type Storefront } from '#stack/crowd/storefront.js';
import { freePort } from '#stack/processes/free-port.js';
import { createSecrets } from '#stack/secrets.js';
import { type Connections, connectInstallation } from '#stack/stores/connections.js';
import { type PostgresServer, startPostgres } from '#stack/stores/postgres-server.js';
import { type Breakable, startBreakable } from '../../chaos/matrix/breakable.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { locksOf, useCluster } from '../../support/redis/cluster.js';
import { aSale } from '../../support/sales.js';

// A process dies at each step of a purchase whose lock is on another node of a Redis Cluster than its sale.

const c = useCluster();

/** A reservation ends by itself after this time, in ms. */
const RESERVED_MS = 30_000;
const CURRENCY = 'EUR';
const UNITS = 3;
/** A crash point that is off. */
const NEVER = 'claim.answered:throw:1000000';

const secrets = createSecrets();
let postgres: PostgresServer;
let connections: Connections<Shards>;
let api: { url: string; process: Breakable };
const running: Breakable[] = [];

beforeAll(async () => {
  await build();
  postgres = await startPostgres({ dir: join(c.folder, 'postgres') });
  await migrate(postgres.url);
  connections = await connectInstallation(c.server.url, postgres.url);
}, 120_000);
afterEach(async () => {
  await Promise.all(running.splice(0).map(process => process.stop()));
});
afterAll(async () => {
  await connections?.close();
  await postgres?.stop();
});

/** Starts a process that fails at one crash point. */
async function start(name: 'api' | 'worker', crashAt = NEVER): Promise<{ url: string; process: Breakable }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const both = { REDIS_URL: c.server.url, HOST: '127.0.0.1' };
  const environment =
    name === 'api'
      ? { ...both, AUTH_SECRET: secrets.AUTH_SECRET, PORT: `${port}` }
      : { ...both, DATABASE_URL: postgres.url, METRICS_PORT: `${port}` };
  const readyUrl = `${url}/${name === 'api' ? 'healthz' : 'metrics'}`;
  const process = await startBreakable({ name, environment, readyUrl, crashAt });
  running.push(process);
  return { url, process };
}

/** Opens two sales with one purchase at a time on two nodes, and names a buyer whose lock is on a third one. */
async function prepare(): Promise<{ one: Sale; other: Sale; buyerId: string }> {
  const rules = { units: UNITS, onePurchaseAtATime: true };
  const [one, other] = [aSale({ id: await c.idOn(0), ...rules }), aSale({ id: await c.idOn(1), ...rules })];
  for (const sale of [one, other]) await createSale(connections, sale);
  return { one, other, buyerId: await c.idOn(2) };
}

async function ask(call: Call, sale: Sale, buyerId: string): ReturnType<Storefront['ask']> {
  const shop = createStorefront(api.url, 1);
  return shop.ask(call, sale.id, issueToken(secrets.AUTH_SECRET, buyerId)).finally(() => shop.close());
}

const lockOf = (buyerId: string) => c.redis.of(buyerId).get(locksOf(buyerId).lock);
const claimOf = async (sale: Sale, buyerId: string) => (await readBuyers(c.redis, sale.id, [buyerId]))[0]?.claim;
const freeOf = async (sale: Sale) => (await readLoadedSale(c.redis, sale.id))?.remaining;
const untilWhole = (process: Breakable) => eventually(() => expect(process.fired()).toBeDefined());
const untilPlaced = (sale: Sale, buyerId: string) =>
  eventually(async () => expect(await ask('order-status', sale, buyerId)).toMatchObject({ status: 'pending_payment' }));

/** Expects a reservation that no claim has confirmed, and that ends by itself. */
async function expectReserved(buyerId: string): Promise<void> {
  const { lock } = locksOf(buyerId);
  expect(await c.redis.of(buyerId).type(lock)).toBe('zset');
  const leftMs = await c.redis.of(buyerId).pttl(lock);
  expect(leftMs).toBeGreaterThan(0);
  expect(leftMs).toBeLessThanOrEqual(RESERVED_MS);
}

test('an API that dies between lock and claim has taken no unit, and its lock ends', async () => {
  const { one, other, buyerId } = await prepare();
  api = await start('api', 'claim.locked:kill:1');
  expect(await ask('buy', one, buyerId)).toMatchObject({ http: 0 });
  await untilWhole(api.process);
  await expectReserved(buyerId);
  expect([await freeOf(one), await claimOf(one, buyerId)]).toEqual([UNITS, undefined]);
  expect(await ask('buy', other, buyerId)).toMatchObject({ http: 429, code: 'too_soon' });
  await c.redis.of(buyerId).del(locksOf(buyerId).lock); // It expires.
  expect(await ask('buy', other, buyerId)).toMatchObject({ http: 202 });
  await eventually(async () => expect(await lockOf(buyerId)).toBe((await claimOf(other, buyerId))?.claimId));
  expect([await freeOf(one), await freeOf(other)]).toEqual([UNITS, UNITS - 1]);
});

test('a claim whose API dies before it confirms the lock gets it from the worker', async () => {
  const { one, other, buyerId } = await prepare();
  api = await start('api', 'claim.decided:kill:1');
  expect(await ask('buy', one, buyerId)).toMatchObject({ http: 0 });
  await untilWhole(api.process);
  await expectReserved(buyerId);
  expect(await ask('buy', other, buyerId)).toMatchObject({ http: 429, code: 'too_soon' });
  const claim = await claimOf(one, buyerId);
  expect(claim).toMatchObject({ status: 'queued' });
  await start('worker');
  await untilPlaced(one, buyerId);
  expect(await lockOf(buyerId)).toBe(claim?.claimId);
  expect(await ask('buy', one, buyerId)).toMatchObject({ http: 200, claimId: claim?.claimId });
  expect(await ask('buy', other, buyerId)).toMatchObject({ http: 429, code: 'too_soon' });
  expect([await freeOf(one), await freeOf(other)]).toEqual([UNITS - 1, UNITS]);
});

test('a worker that dies between the lock and the status of an order leaves one lock and one order', async () => {
  const { one, other, buyerId } = await prepare();
  api = await start('api');
  const { process } = await start('worker', 'place.confirmed:kill:1');
  const { claimId } = await ask('buy', one, buyerId);
  await untilWhole(process);
  await untilPlaced(one, buyerId);
  expect(await lockOf(buyerId)).toBe(claimId);
  expect(await ask('buy', other, buyerId)).toMatchObject({ http: 429, code: 'too_soon' });
  expect(await connections.db.order.count({ where: { buyerId } })).toBe(1);
});

test.each(['pay', 'cancel'] as const)(
  'a worker that dies between the end of a purchase (%s) and its lock gives the lock back later',
  async call => {
    const { one, other, buyerId } = await prepare();
    await creditWallets(connections.db, [buyerId], { amountMinor: one.priceMinor, currency: CURRENCY });
    api = await start('api');
    const { process } = await start('worker', 'purchase.over:kill:1');
    const { claimId } = await ask('buy', one, buyerId);
    await untilPlaced(one, buyerId);
    expect(await lockOf(buyerId)).toBe(claimId);
    expect(await ask(call, one, buyerId)).toMatchObject({ http: 202 });
    await untilWhole(process);
    await eventually(async () => expect(await lockOf(buyerId)).toBeNull());
    expect(await claimOf(one, buyerId)).toMatchObject({ claimId, status: call === 'pay' ? 'paid' : 'cancelled' });
    expect(await ask('buy', other, buyerId)).toMatchObject({ http: 202 });
    expect([await freeOf(one), await freeOf(other)]).toEqual([call === 'pay' ? UNITS - 1 : UNITS, UNITS - 1]);
  },
);
