import { expect, test } from '@jest/globals';
import { pause, SECOND_MS } from '#core/clock.js';
import { eventually } from '../support/eventually.js';
import { useStage } from './stage.js';

// Postgres is away in the middle of a sale: claims go on, nobody is told anything untrue, and all are placed when it is back.
// CHAOS_AWAY_SECONDS=60 is the whole of it; a few seconds show the same.

const s = useStage();

const AWAY_MS = Number(process.env.CHAOS_AWAY_SECONDS ?? 8) * SECOND_MS;
const PLACED_WITHIN_MS = 15_000;
const EVERY_MS = 50;

test(
  'Postgres is away',
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
    await s.expectAllKept(false);
  },
  AWAY_MS + 120_000,
);
