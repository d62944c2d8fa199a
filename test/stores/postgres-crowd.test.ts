import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { type PgBouncer, type PoolMode, startPgBouncer } from '#stack/pooler/pgbouncer.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { useStage } from '../chaos/rig/stage.js';
import { Random } from '../chaos/workload/random.js';
import { visitSale } from '../chaos/workload/visit.js';
import { PRICE_MINOR } from '../chaos/workload/world.js';
import { eventually } from '../support/eventually.js';
import { SHOP_SECRET, startShop, type TestShop } from '../support/http/shop.js';

// A crowd buys while the workers reach Postgres through PgBouncer only, with its default settings but for the size of its pool.

const CROWD = 60;
const UNITS = 30;

/** Each connection of a worker keeps one of the pool in session mode. In transaction mode few are enough. */
const POOLS: [mode: PoolMode, poolSize: number][] = [
  ['transaction', 6],
  ['session', 80],
];

describe.each(POOLS)('PgBouncer in %s mode', (mode, poolSize) => {
  let folder: string;
  let shop: TestShop;
  let pooler: Promise<PgBouncer> | undefined;
  beforeAll(async () => {
    [folder, shop] = [await createTemporaryFolder(), await startShop()];
  });
  const s = useStage({
    databaseUrl: async (databaseUrl, from) => {
      if (from === 'test') return databaseUrl;
      pooler ??= startPgBouncer({ dir: join(folder, 'pgbouncer'), databaseUrl, mode, poolSize });
      return (await pooler).through(databaseUrl);
    },
    environment: name =>
      name.startsWith('worker') ? { SHOP_WEBHOOK_URL: shop.url, SHOP_WEBHOOK_SECRET: SHOP_SECRET } : {},
  });
  afterAll(async () => {
    await (await pooler)?.stop();
    shop.server.close();
    await removeTemporaryFolder(folder);
  });

  test('everybody is served, the shop hears of everything, and a killed worker delays nobody', async () => {
    const { id } = await s.open({ units: UNITS, standbyFactor: 1, payWithinSeconds: 4 });
    const buyers = Array.from({ length: CROWD }, (_, i) => `buyer-${i + 1}`);
    await creditWallets(s.connections.db, buyers, { amountMinor: PRICE_MINOR, currency: 'EUR' });
    const wishes = ['pay', 'leave', 'cancel', 'pay and cancel'] as const;
    const visits = buyers.map((buyerId, i) =>
      visitSale(s.client, new Random(i + 1), {
        saleId: id,
        buyerId,
        clicks: 1 + (i % 3),
        withUnit: wishes[i % wishes.length] ?? 'pay',
        returns: 0,
      }),
    );
    await s.node('worker-1').kill();
    await s.node('worker-1').revive();
    await Promise.all(visits);
    await s.expectAllKept({ redisLostData: false });

    // A claim that its buyer cancels before it is placed has one version, cancelled, and the shop never hears of it.
    await eventually(async () => {
      const [untold] = await s.query(`SELECT count(*) AS orders FROM orders o
        WHERE status <> 'void' AND (status <> 'cancelled' OR version > 1) AND NOT EXISTS (
        SELECT FROM outbox_events e WHERE e.order_id = o.id AND e.kind = 'order.placed' AND e.delivered_at IS NOT NULL)`);
      expect(untold).toEqual({ orders: '0' });
    });
    const [paid] = await s.query(`SELECT count(*) AS orders FROM orders WHERE status = 'paid'`);
    expect(Number(paid?.orders)).toBeGreaterThan(0);
    expect(shop.received.filter(({ type }) => type === 'order.paid').length).toBeGreaterThanOrEqual(
      Number(paid?.orders),
    );
  });

  test('every actor runs', async () => {
    const actors = await s.query('SELECT actor FROM actor_leases ORDER BY actor');
    expect(actors.map(({ actor }) => actor)).toEqual([
      'ask-beacon',
      'ask-providers',
      'check-books',
      'deliver-events',
      'draw-lots',
      'expire-overdue',
      'finish-payments',
      'keep-entries',
      'prune',
      'reconcile',
      'rescue',
      'tell-shop',
    ]);
    // A lock of a session would stay in the pool.
    expect(await s.query(`SELECT objid FROM pg_locks WHERE locktype = 'advisory'`)).toEqual([]);
  });
});
