import { expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { bucketOf } from '#core/redis/keys.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { askNode, type ClusterNode } from '#stack/stores/redis-cluster.js';
import { PRICE_MINOR } from '../../chaos/workload/world.js';
import { cli } from '../../support/command.js';
import { eventually } from '../../support/eventually.js';
import { ownerOf, slotOf } from '../../support/redis/slot-owner.js';
import { aSale } from '../../support/sales.js';
import { useInstallation } from './installation.js';

// Three primaries without replicas. A part of the cluster is away, and the sales of the others do not notice.

const WAIT_MS = 60_000;

const c = useInstallation({ primaries: 3 });

/** Opens two sales, each on another node. */
async function twoSales(): Promise<{ away: string; here: string; node: ClusterNode }> {
  const wishes = { units: 3, payWithinSeconds: 3 };
  const { id: away } = await c.t.open({ ...wishes, id: aSale().id });
  const node = await ownerOf(c.stores.redis, slotOf(away));
  let here = aSale().id;
  while ((await ownerOf(c.stores.redis, slotOf(here))) === node) here = aSale().id;
  await c.t.open({ ...wishes, id: here });
  return { away, here, node };
}

const buy = (saleId: string, buyerId: string) => c.t.client.ask('buy', saleId, buyerId);
const wins = (saleId: string, buyerId: string) =>
  eventually(async () => expect(await buy(saleId, buyerId)).toMatchObject({ http: 202 }), WAIT_MS);
const reads = (saleId: string, buyerId: string, status: string) =>
  eventually(
    async () => expect(await c.t.client.ask('order-status', saleId, buyerId)).toMatchObject({ status }),
    WAIT_MS,
  );

/** Expects 503 with Retry-After for a sale from both APIs, and a readiness that names its bucket. */
async function expectAway(saleId: string): Promise<void> {
  const bucket = bucketOf(saleId).replace(/[{}]/g, '');
  for (let i = 0; i < 8; i += 1) {
    const refused = { http: 503, code: 'unavailable', retryAfterMs: expect.any(Number) };
    await eventually(async () => expect(await buy(saleId, 'ann')).toMatchObject(refused), WAIT_MS);
  }
  for (const url of c.t.baseUrls) {
    await eventually(async () => {
      const response = await fetch(`${url}/readyz`);
      expect({ http: response.status, said: await response.text() }).toEqual({
        http: 200,
        said: expect.stringContaining(`Redis does not answer (bucket ${bucket})`),
      });
    }, WAIT_MS);
  }
  await eventually(async () => {
    const response = await fetch(`${c.t.workerUrl}/readyz`);
    expect({ http: response.status, said: await response.text() }).toEqual({
      http: 503,
      said: expect.stringContaining(`(bucket ${bucket})`),
    });
  }, WAIT_MS);
}

/** Expects that a sale sells, is paid, expires and gets its unit back. */
async function expectSells(saleId: string): Promise<void> {
  await creditWallets(c.t.connections.db, ['pia'], { amountMinor: PRICE_MINOR, currency: 'EUR' });
  await wins(saleId, 'pia');
  await wins(saleId, 'eva');
  await reads(saleId, 'pia', 'pending_payment');
  await c.t.client.ask('pay', saleId, 'pia');
  await reads(saleId, 'pia', 'paid');
  await reads(saleId, 'eva', 'cancelled');
  await eventually(async () => {
    expect(await readLoadedSale(c.t.connections.redis, saleId)).toMatchObject({ remaining: 2, unplaced: 0 });
  }, WAIT_MS);
}

test('of a slot that nobody owns, only the sales are away, until a node has it again', async () => {
  const { away, here, node } = await twoSales();
  await wins(away, 'ann');
  await reads(away, 'ann', 'pending_payment');
  const slot = slotOf(away);
  for (const one of c.stores.redis.nodes) await askNode(one, client => client.cluster('DELSLOTS', slot));
  try {
    await expectAway(away);
    await expectSells(here);
  } finally {
    await askNode(node, client => client.cluster('ADDSLOTS', slot));
  }
  await wins(away, 'bob');
  await reads(away, 'ann', 'cancelled');
  await c.t.expectAllKept({ redisLostData: false });
});

test('a primary without a replica that is dead takes only its own sales away, and they continue when it is back', async () => {
  const { away, here, node } = await twoSales();
  await wins(away, 'ann');
  await node.kill();
  try {
    await expectAway(away);
    await expectSells(here);
  } finally {
    await c.stores.redis.restartNode(node);
  }
  await wins(away, 'bob');
  await reads(away, 'ann', 'cancelled');
  await c.t.expectAllKept({ redisLostData: false });
});

test('processes and commands that start while a node is dead work for the sales of the others', async () => {
  const { away, here, node } = await twoSales();
  await c.t.stopApis();
  await c.t.stopWorker();
  await node.kill();
  try {
    await c.t.startProcesses(c.stores.redisUrl);
    await expectAway(away);
    await expectSells(here);
    const env = { REDIS_URL: c.stores.redisUrl, DATABASE_URL: c.t.databaseUrl };
    expect(await cli(['sale', 'show', here], env)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await cli(['audit', here], env)).toMatchObject({ exitCode: 0, stderr: '' });
  } finally {
    await c.stores.redis.restartNode(node);
  }
  await wins(away, 'ann');
  await reads(away, 'ann', 'cancelled');
  await c.t.expectAllKept({ redisLostData: false });
});
