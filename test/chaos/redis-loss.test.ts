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

/** This includes a start of the workers on a busy machine. */
const OPEN_WITHIN_MS = 15_000;

/** Workers look for a loss every second. A comparison may take two seconds, and opening the sale again a moment. */
const VERIFIED_WITHIN_MS = 5_000;
const SELLING_WITHIN_MS = 5_000;

const names = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);

async function buyAll(saleId: string, buyerIds: string[]) {
  return Promise.all(
    buyerIds.map(buyerId =>
      // The sale may be shut for a moment. A retry then succeeds.
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

/** Sells all live orders: some are paid, and the deadline of the others is far away. */
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

/** Waits for the jobs: a job that is added after the loss would place its claims, as if nothing had been lost. */
const untilQueued = (claims: number) =>
  eventually(async () => {
    const jobs = await s.connections.queues['place-orders'].getWaiting();
    expect(jobs.flatMap(({ data }) => data.claims)).toHaveLength(claims);
  });

/** Flushes Redis, and returns the time until the sale is verified, and from there until it sells, in ms. */
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

test('a sale with 200 live orders is verified and sells within seconds of each FLUSHALL', async () => {
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
  await s.expectAllKept({ redisLostData: true });
}, 120_000);

test('after FLUSHALL no unit is sold twice, paid orders stay, and each accepted claim is placed or reported lost', async () => {
  const { id } = await s.open({ units: LIVE + ACCEPTED + 5, payWithinSeconds: 30 });
  const { paid, unpaid } = await sell(id);

  const workers = ['worker-1', 'worker-2'].map(name => s.node(name));
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
      }, OPEN_WITHIN_MS),
    ),
  );
  expect(new Set(ends)).toEqual(new Set(['rejected', 'pending_payment']));
  const rest = [...unpaid, ...accepted.map(({ buyerId }) => buyerId), 'fresh', ...names('quick', 10)];
  await Promise.all(rest.map(buyerId => s.client.ask('cancel', id, buyerId)));
  await s.expectAllKept({ redisLostData: true });
}, 120_000);
