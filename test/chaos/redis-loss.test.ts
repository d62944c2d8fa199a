import { expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { readLoadedSale, readRunId } from '#core/redis/sale/sale.js';
import { eventually } from '../support/eventually.js';
import { useStage } from './rig/stage.js';
import { PRICE_MINOR } from './workload/world.js';

// Redis loses everything in the middle of a sale. All orders in Postgres are kept, and a buyer whose claim was lost learns of it.

const s = useStage();

const LIVE = 200;
const PAID = 40;
/** The number of accepted claims that Redis loses before they are placed. */
const ACCEPTED = 20;

/** Longer than any machine takes. The test itself cancels what is not paid. */
const PAY_WITHIN_SECONDS = 3_600;

const names = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);

async function buyAll(saleId: string, buyerIds: string[]) {
  return Promise.all(
    buyerIds.map(buyerId =>
      // The sale may be shut for a moment. A retry then succeeds.
      eventually(async () => {
        const { claimId, receipt } = await s.client.ask('buy', saleId, buyerId);
        if (!claimId) throw new Error(`${buyerId} got no claim`);
        return { buyerId, claimId, receipt };
      }),
    ),
  );
}

/** Asks until each call is accepted, or refused for good. */
const askAll = (call: 'pay' | 'cancel', saleId: string, buyerIds: string[]) =>
  Promise.all(
    buyerIds.map(buyerId =>
      eventually(async () => expect([202, 409]).toContain((await s.client.ask(call, saleId, buyerId)).http)),
    ),
  );

const untilAll = (saleId: string, buyerIds: string[], status: string) =>
  eventually(async () => {
    const answers = await Promise.all(buyerIds.map(buyerId => s.client.ask('order-status', saleId, buyerId)));
    expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([status]));
  });

/** Sells all live orders: some are paid, and the deadline of the others is far away. */
async function sell(saleId: string): Promise<{ paid: string[]; unpaid: string[] }> {
  const buyers = names('live', LIVE);
  const [paid, unpaid] = [buyers.slice(0, PAID), buyers.slice(PAID)];
  await creditWallets(s.connections.db, paid, { amountMinor: PRICE_MINOR, currency: 'EUR' });
  await buyAll(saleId, buyers);
  await untilAll(saleId, buyers, 'pending_payment');
  await askAll('pay', saleId, paid);
  await untilAll(saleId, paid, 'paid');
  return { paid, unpaid };
}

/** Flushes Redis, and waits until the sale is verified, and then until it sells. */
async function flush(saleId: string, buyerId: string): Promise<void> {
  const { redis } = s.connections;
  const runId = await readRunId(redis);
  await redis.flushall();
  await eventually(async () => expect((await readLoadedSale(redis, saleId))?.runId).toBe(runId));
  await eventually(async () => {
    expect(await s.client.ask('buy', saleId, buyerId)).toMatchObject({ claimId: expect.any(String) });
  });
}

test('a sale with 200 live orders is verified and sells again after each FLUSHALL', async () => {
  const { id } = await s.open({ units: LIVE + 5, payWithinSeconds: PAY_WITHIN_SECONDS });
  const { paid, unpaid } = await sell(id);
  for (const buyerId of names('after', 4)) {
    await flush(id, buyerId);
    await untilAll(id, [buyerId], 'pending_payment');
  }
  await untilAll(id, paid, 'paid');
  await untilAll(id, unpaid, 'pending_payment');
  await askAll('cancel', id, [...unpaid, ...names('after', 4)]);
  await s.expectAllKept({ redisLostData: true });
});

test('after FLUSHALL no unit is sold twice, paid orders stay, and each accepted claim is placed or reported lost', async () => {
  const { id } = await s.open({ units: LIVE + ACCEPTED + 5, payWithinSeconds: PAY_WITHIN_SECONDS });
  const { paid, unpaid } = await sell(id);

  const workers = ['worker-1', 'worker-2'].map(name => s.node(name));
  for (const worker of workers) await worker.kill();
  const accepted = await buyAll(id, names('accepted', ACCEPTED));
  await s.connections.redis.flushall();
  expect(await s.client.ask('buy', id, 'too-early')).toMatchObject({ http: 503, code: 'unavailable' });
  await Promise.all(workers.map(worker => worker.revive()));

  await eventually(async () => {
    expect(await s.client.ask('buy', id, 'fresh')).toMatchObject({ claimId: expect.any(String) });
  });
  await untilAll(id, paid, 'paid');
  await untilAll(id, unpaid, 'pending_payment');

  // There are fewer units than claims: some buyers come back in time, and the others are too late.
  await buyAll(id, names('quick', 10));
  const ends = await Promise.all(
    accepted.map(({ buyerId, claimId, receipt }) =>
      eventually(async () => {
        const answer = await s.client.ask('order-status', id, buyerId, { receipt });
        expect(answer.claimId).toBe(claimId);
        expect([answer.status, answer.reason]).toEqual(
          answer.status === 'rejected' ? ['rejected', 'lost'] : ['pending_payment', undefined],
        );
        return answer.status;
      }),
    ),
  );
  expect(new Set(ends)).toEqual(new Set(['rejected', 'pending_payment']));
  const rest = [...unpaid, ...accepted.map(({ buyerId }) => buyerId), 'fresh', ...names('quick', 10)];
  await askAll('cancel', id, rest);
  await s.expectAllKept({ redisLostData: true });
});
