import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { eventually } from '../support/eventually.js';
import { useStage } from './rig/stage.js';
import { Random } from './workload/random.js';
import { visitSale } from './workload/visit.js';
import { PRICE_MINOR } from './workload/world.js';

// Postgres is away in the middle of a sale. Claims continue, no answer is untrue, and all claims are placed once Postgres is back.

const s = useStage();

const AWAY_MS = 60 * SECOND_MS;
const PLACED_WITHIN_MS = 15_000;
const EVERY_MS = 50;

test(
  'Postgres is away for a minute',
  async () => {
    const { id } = await s.open({ units: 5_000, payWithinSeconds: 5 });
    const placed = await s.client.ask('buy', id, 'before');
    await eventually(async () => {
      expect(await s.client.ask('order-status', id, 'before')).toMatchObject({ status: 'pending_payment' });
    });
    await s.client.ask('cancel', id, 'before');

    await s.node('postgres').kill();
    const buyers: string[] = [];
    const backAt = performance.now() + AWAY_MS;
    while (performance.now() < backAt) {
      const buyerId = `buyer-${buyers.length + 1}`;
      expect(await s.client.ask('buy', id, buyerId)).toMatchObject({ http: 202, status: 'queued' });
      expect(await s.client.ask('order-status', id, buyerId)).toMatchObject({ http: 200, status: 'queued' });
      buyers.push(buyerId);
      await pause(EVERY_MS);
    }
    expect(await s.client.ask('order-status', id, 'before')).toMatchObject({ claimId: placed.claimId });
    expect(buyers.length).toBeGreaterThan(AWAY_MS / SECOND_MS);

    await s.node('postgres').revive();
    const returnedAt = performance.now();
    await eventually(async () => {
      const [row] = await s.query(`SELECT count(*) AS orders FROM orders WHERE sale_id = '${id}'`);
      expect(Number(row?.orders)).toBe(buyers.length + 1);
    }, PLACED_WITHIN_MS);
    expect(performance.now() - returnedAt).toBeLessThan(PLACED_WITHIN_MS);
    await s.expectAllKept({ redisLostData: false });
  },
  AWAY_MS + 120_000,
);

const KILLS = 3;
const CROWD = 120;

test('Postgres is killed again and again under load: a buyer who reads paid has paid', async () => {
  const { id } = await s.open({ units: CROWD, payWithinSeconds: 4 });
  const buyers = Array.from({ length: CROWD }, (_, i) => `payer-${i + 1}`);
  await creditWallets(s.connections.db, buyers, { amountMinor: PRICE_MINOR, currency: 'EUR' });
  const random = new Random(1);
  const visits = buyers.map(async (buyerId, i) => {
    await pause(i * EVERY_MS);
    const withUnit = random.pick(['pay', 'pay', 'pay and cancel', 'leave'] as const);
    await visitSale(s.client, random, { saleId: id, buyerId, clicks: 1, withUnit, returns: 0 });
  });
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await eventually(async () => {
      const [row] = await s.query(`SELECT count(*) AS paid FROM orders WHERE sale_id = '${id}' AND status = 'paid'`);
      expect(Number(row?.paid)).toBeGreaterThanOrEqual(kill * 5);
    }, PLACED_WITHIN_MS);
    await s.node('postgres').kill();
    await s.node('postgres').revive();
  }
  await Promise.all(visits);
  await s.expectAllKept({ redisLostData: false });
}, 120_000);
