import { expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { readLoadedSale, readRunId } from '#core/redis/sale/sale.js';
import { eventually } from '../support/eventually.js';
import { useStage } from './rig/stage.js';
import { PRICE_MINOR } from './workload/world.js';

// Redis loses everything in the middle of a sale. What Postgres has is kept to the letter; what only Redis had is told.

const s = useStage();

const LIVE = 200;
const PAID = 40;
/** Claims that were accepted and not placed when Redis lost them. */
const ACCEPTED = 20;

/** Starting the workers again on a busy machine is part of it. */
const OPEN_WITHIN_MS = 15_000;

/** The loss is looked for every second; a comparison under way may take two, and opening the sale again a moment. */
const VERIFIED_WITHIN_MS = 5_000;
const SELLING_WITHIN_MS = 5_000;

const names = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);

async function buyAll(saleId: string, buyerIds: string[]) {
  return Promise.all(
    buyerIds.map(buyerId =>
      // The gate may be shut for a moment: then whoever comes back gets in.
      eventually(async () => {
        const { claimId, receipt } = await s.client.ask('buy', saleId, buyerId);
        if (!claimId) throw new Error(`${buyerId} got no claim`);
        return { buyerId, claimId, receipt };
      }, OPEN_WITHIN_MS),
    ),
  );
}

const untilAll = (saleId: string, buyerIds: string[], status: string) =>
  eventually(async () => {
    const answers = await Promise.all(buyerIds.map(buyerId => s.client.ask('order-status', saleId, buyerId)));
    expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([status]));
  }, OPEN_WITHIN_MS);

/** @returns the buyers of as many live orders as there are: some are paid, and the others are not due yet */
async function sell(saleId: string): Promise<{ paid: string[]; unpaid: string[] }> {
  const buyers = names('live', LIVE);
  const [paid, unpaid] = [buyers.slice(0, PAID), buyers.slice(PAID)];
  await creditWallets(s.connections.db, paid, { amountMinor: PRICE_MINOR, currency: 'EUR' });
  await buyAll(saleId, buyers);
  await untilAll(saleId, buyers, 'pending_payment');
  await Promise.all(paid.map(buyerId => s.client.ask('pay', saleId, buyerId)));
  await untilAll(saleId, paid, 'paid');
  return { paid, unpaid };
}

/** A job that is added after the loss would place its claims, as if nothing had been lost. */
const untilQueued = (claims: number) =>
  eventually(async () => {
    const jobs = await s.connections.queues['place-orders'].getWaiting();
    expect(jobs.flatMap(({ data }) => data.claims)).toHaveLength(claims);
  });

/** @returns the time from FLUSHALL until the sale is verified, and from there until it sells, in ms */
async function flush(saleId: string, buyerId: string) {
  const { redis } = s.connections;
  const runId = await readRunId(redis);
  await redis.flushall();
  const flushedAt = performance.now();
  await eventually(async () => expect((await readLoadedSale(redis, saleId))?.runId).toBe(runId), OPEN_WITHIN_MS);
  const verifiedAt = performance.now();
  await eventually(async () => {
    expect(await s.client.ask('buy', saleId, buyerId)).toMatchObject({ claimId: expect.any(String) });
  }, OPEN_WITHIN_MS);
  return { verifiedMs: verifiedAt - flushedAt, sellingMs: performance.now() - verifiedAt };
}

test('FLUSHALL of a sale with 200 live orders, again and again: noticed at once, and selling at once', async () => {
  const { id } = await s.open({ units: LIVE + 5, payWithinSeconds: 60 });
  const { paid, unpaid } = await sell(id);
  for (const buyerId of names('after', 4)) {
    const { verifiedMs, sellingMs } = await flush(id, buyerId);
    expect(verifiedMs).toBeLessThan(VERIFIED_WITHIN_MS);
    expect(sellingMs).toBeLessThan(SELLING_WITHIN_MS);
    await untilAll(id, [buyerId], 'pending_payment');
  }
  await untilAll(id, paid, 'paid');
  await untilAll(id, unpaid, 'pending_payment');
  await Promise.all([...unpaid, ...names('after', 4)].map(buyerId => s.client.ask('cancel', id, buyerId)));
  await s.expectAllKept(true);
}, 120_000);

test('FLUSHALL: no unit is sold twice, no paid order is lost, and every accepted claim is placed or told to be lost', async () => {
  const { id } = await s.open({ units: LIVE + ACCEPTED + 5, payWithinSeconds: 30 });
  const { paid, unpaid } = await sell(id);

  const workers = ['worker-1', 'worker-2'].map(s.node);
  for (const worker of workers) await worker.kill();
  const accepted = await buyAll(id, names('accepted', ACCEPTED));
  await untilQueued(ACCEPTED);
  await s.connections.redis.flushall();
  const flushedAt = performance.now();
  expect(await s.client.ask('buy', id, 'too-early')).toMatchObject({ http: 503, code: 'unavailable' });
  await Promise.all(workers.map(worker => worker.revive()));

  await eventually(async () => {
    expect(await s.client.ask('buy', id, 'fresh')).toMatchObject({ claimId: expect.any(String) });
  }, OPEN_WITHIN_MS);
  expect(performance.now() - flushedAt).toBeLessThan(OPEN_WITHIN_MS);
  await untilAll(id, paid, 'paid');
  await untilAll(id, unpaid, 'pending_payment');

  // Fewer units than there were claims: some come back in time, the others are too late.
  await buyAll(id, names('quick', 10));
  const ends = await Promise.all(
    accepted.map(({ buyerId, claimId, receipt }) =>
      eventually(async () => {
        const answer = await s.client.ask('order-status', id, buyerId, receipt);
        expect(answer.claimId).toBe(claimId);
        expect([answer.status, answer.reason]).toEqual(
          answer.status === 'rejected' ? ['rejected', 'lost'] : ['pending_payment', undefined],
        );
        return answer.status;
      }, OPEN_WITHIN_MS),
    ),
  );
  expect(new Set(ends)).toEqual(new Set(['rejected', 'pending_payment']));
  const rest = [...unpaid, ...accepted.map(({ buyerId }) => buyerId), 'fresh', ...names('quick', 10)];
  await Promise.all(rest.map(buyerId => s.client.ask('cancel', id, buyerId)));
  await s.expectAllKept(true);
}, 120_000);
