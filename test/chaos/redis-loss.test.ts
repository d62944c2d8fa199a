import { expect, test } from '@jest/globals';
import { creditWallets } from '#core/orders/wallet.js';
import { eventually } from '../support/eventually.js';
import { useStage } from './stage.js';
import { PRICE_MINOR } from './world.js';

// Redis loses everything in the middle of a sale. What Postgres has is kept to the letter; what only Redis had is told.

const s = useStage();

const LIVE = 200;
const PAID = 40;
/** Claims that were accepted and not placed when Redis lost them. */
const ACCEPTED = 20;

/** Reconcile looks every 5 s; from then on it is quick. */
const OPEN_WITHIN_MS = 15_000;

const names = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);

async function buyAll(saleId: string, buyerIds: string[]) {
  return Promise.all(
    buyerIds.map(async buyerId => {
      const { claimId, receipt } = await s.client.ask('buy', saleId, buyerId);
      if (!claimId || !receipt) throw new Error(`${buyerId} got no claim`);
      return { buyerId, claimId, receipt };
    }),
  );
}

const untilAll = (saleId: string, buyerIds: string[], status: string) =>
  eventually(async () => {
    const answers = await Promise.all(buyerIds.map(buyerId => s.client.ask('order-status', saleId, buyerId)));
    expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([status]));
  }, OPEN_WITHIN_MS);

test('FLUSHALL: no unit is sold twice, no paid order is lost, and every accepted claim is placed or told to be lost', async () => {
  const { id } = await s.open({ units: LIVE + ACCEPTED + 5, payWithinSeconds: 30 });
  const buyers = names('live', LIVE);
  await creditWallets(s.connections.db, buyers.slice(0, PAID), PRICE_MINOR, 'EUR');
  await buyAll(id, buyers);
  await untilAll(id, buyers, 'pending_payment');
  await Promise.all(buyers.slice(0, PAID).map(buyerId => s.client.ask('pay', id, buyerId)));
  await untilAll(id, buyers.slice(0, PAID), 'paid');

  const workers = ['worker-1', 'worker-2'].map(s.node);
  for (const worker of workers) await worker.kill();
  const accepted = await buyAll(id, names('accepted', ACCEPTED));
  await s.connections.redis.flushall();
  const flushedAt = performance.now();
  expect(await s.client.ask('buy', id, 'too-early')).toMatchObject({ http: 503, code: 'unavailable' });
  await Promise.all(workers.map(worker => worker.revive()));

  await eventually(async () => {
    expect(await s.client.ask('buy', id, 'fresh')).toMatchObject({ claimId: expect.any(String) });
  }, OPEN_WITHIN_MS);
  expect(performance.now() - flushedAt).toBeLessThan(OPEN_WITHIN_MS);
  await untilAll(id, buyers.slice(0, PAID), 'paid');
  await untilAll(id, buyers.slice(PAID), 'pending_payment');

  // Fewer units than there were claims: some come back in time, the others are too late.
  await buyAll(id, names('quick', 10));
  await Promise.all(
    accepted.map(({ buyerId, claimId, receipt }) =>
      eventually(async () => {
        const answer = await s.client.ask('order-status', id, buyerId, receipt);
        expect(answer.claimId).toBe(claimId);
        expect([answer.status, answer.reason]).toEqual(
          answer.status === 'rejected' ? ['rejected', 'lost'] : ['pending_payment', undefined],
        );
      }, OPEN_WITHIN_MS),
    ),
  );
  const rest = [...buyers.slice(PAID), ...accepted.map(({ buyerId }) => buyerId), 'fresh', ...names('quick', 10)];
  await Promise.all(rest.map(buyerId => s.client.ask('cancel', id, buyerId)));
  await s.expectAllKept(true);
}, 120_000);
