import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { BuyerPlan } from '#stack/crowd/buyer.js';
import { startCrowd } from '#stack/crowd/crowd.js';
import { eventually } from '../support/eventually.js';
import { expectProof } from '../support/rush.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// Redis fills up in the middle of a sale. Clicks are refused while there is still room for those who hold a claim.

const MEGABYTE = 1_024 * 1_024;
const MAXMEMORY = 64 * MEGABYTE;
const BALLAST_BYTES = MEGABYTE / 8;
const PRICE_MINOR = 500;
const BUYERS = 400;
const WAIT_MS = 60_000;

let stack: TestStack;
let redis: Redis;
let ballast = 0;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  redis = new Redis(stack.stores.redisUrl);
}, 120_000);
afterAll(async () => {
  redis?.disconnect();
  await stack?.stop();
});

const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);

/** Fills Redis with the data of somebody else, up to a share of its memory. */
async function fillTo(share: number): Promise<void> {
  while ((await usedBytes()) < share * MAXMEMORY) {
    ballast += 1;
    await redis.setrange(`ballast-${ballast}`, BALLAST_BYTES, 'x');
  }
}

/** Takes all memory that is left. */
async function fillToTheLimit(): Promise<void> {
  const fill = async (bytes: number): Promise<void> => {
    for (;;) {
      ballast += 1;
      await redis.setrange(`ballast-${ballast}`, bytes, 'x');
    }
  };
  for (const bytes of [BALLAST_BYTES, 1_024, 1]) await expect(fill(bytes)).rejects.toThrow(/^OOM/);
}

async function removeBallast(): Promise<void> {
  for (; ballast > 0; ballast -= 1) await redis.unlink(`ballast-${ballast}`);
}

const readyz = async (url: string | undefined) => (await fetch(`${url}/readyz`)).json() as Promise<{ note?: string }>;

test('clicks are refused before Redis is full, and then every buyer pays in time or expires', async () => {
  const saleId = await stack.createSale({ units: 20_000, priceMinor: PRICE_MINOR, payWithinSeconds: 10 });
  const plans: BuyerPlan[] = Array.from({ length: BUYERS }, (_, i) => ({
    buyerId: `buyer-${i + 1}`,
    clicks: 1,
    withUnit: i % 2 === 0 ? 'pay' : 'leave',
  }));
  await stack.credit(
    plans.map(({ buyerId }) => buyerId),
    PRICE_MINOR,
  );
  await redis.config('SET', 'maxmemory', MAXMEMORY);
  const { baseUrls, authSecret } = stack;
  const crowd = startCrowd({ baseUrls, saleId, authSecret, plans, arriveWithinMs: 10_000, patienceMs: 200_000 });
  const isHolding = () => crowd.stages().pending_payment ?? 0;
  await eventually(() => expect(isHolding()).toBeGreaterThan(50), WAIT_MS);
  await fillTo(0.86);
  // A click at an API that has not noticed yet would win.
  for (const url of baseUrls) {
    await eventually(async () => expect((await readyz(url)).note).toContain('maxmemory'), WAIT_MS);
  }
  expect(await stack.buy('buyer-1', saleId)).toMatchObject({ http: 503, code: 'overloaded' });
  await fillToTheLimit();
  // All who hold a claim come to its end although nothing can be written any more but what ends a claim.
  await eventually(() => expect(isHolding()).toBe(0), WAIT_MS);
  await removeBallast();
  const report = await crowd.finished;
  const { reckoning } = await expectProof(stack, saleId, report.buyers);
  const endings = (how: 'pay' | 'leave') =>
    new Set(report.buyers.filter(({ plan }) => plan.withUnit === how).map(({ stage }) => stage));
  expect(endings('pay')).toEqual(new Set(['paid']));
  expect(endings('leave')).toEqual(new Set(['cancelled']));
  expect(reckoning).toMatchObject({ paid: BUYERS / 2, cancelled: BUYERS / 2 });
}, 240_000);
