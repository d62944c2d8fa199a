import { randomUUID } from 'node:crypto';
import { createSale } from '#core/operator/create-sale.js';
import { CLAIM_BATCH_MAX, claim } from '#core/redis/claims/claim.js';
import { openSale, type StartingState } from '#core/redis/sale/open-sale.js';
import type { Sale } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { buyerName } from '../load/plan.js';
import type { Rig } from './rig.js';

const PAY_WITHIN_SECONDS = 3_600;

let salesMade = 0;

/** Creates a sale that is open for an hour. Its id is new, and all ids have one length. */
function createBenchSale(units: number): Sale {
  salesMade += 1;
  return ordinarySale({
    id: `bench-${String(salesMade).padStart(5, '0')}`,
    units,
    payWithinSeconds: PAY_WITHIN_SECONDS,
    standbyFactor: 0,
  });
}

/**
 * Opens a sale in Redis only, for questions without a worker.
 *
 * @returns the id of the sale
 */
export async function createRedisSale(
  { redis }: Pick<StepContext, 'redis'>,
  units: number,
  state?: StartingState,
): Promise<string> {
  const sale = createBenchSale(units);
  await openSale(redis, sale, { state });
  return sale.id;
}

/** Opens a sale that needs passes, in Redis only. With all rules, it also has those about strikes and groups. */
export async function createPassSale(
  { redis }: Pick<StepContext, 'redis'>,
  units: number,
  { hasAllRules = false } = {},
): Promise<Sale> {
  const rules = hasAllRules ? { unpaidLimit: 2, retryPayWithinSeconds: 60, perGroup: 1 } : {};
  const sale = { ...createBenchSale(units), needsPass: true, ...rules };
  await openSale(redis, sale);
  return sale;
}

/**
 * Opens a sale in both stores, as the command line does.
 *
 * @returns the id of the sale
 */
export async function createWholeSale(rig: Rig, units: number): Promise<string> {
  const sale = createBenchSale(units);
  await createSale(rig, sale);
  return sale.id;
}

/** Buyers who all win, in batches as the API makes them. */
export interface Winners {
  saleId: string;
  /** The number of the first buyer; see {@link buyerName}. */
  first: number;
  count: number;
  /** Buyers in one batch; {@link CLAIM_BATCH_MAX} if not given. */
  size?: number;
}

/**
 * Claims a unit for each buyer.
 *
 * @throws Error when a buyer does not win
 */
export async function winAll(rig: Rig, { saleId, first, count, size = CLAIM_BATCH_MAX }: Winners): Promise<void> {
  for (let done = 0; done < count; done += size) {
    const requests = Array.from({ length: Math.min(size, count - done) }, (_, i) => ({
      buyerId: buyerName(first + done + i),
      claimId: randomUUID(),
    }));
    for (const { kind } of await claim(rig.redis, saleId, requests)) {
      if (kind !== 'won') throw new Error(`a buyer should have won: ${kind}`);
    }
  }
}

/** Deletes every sale, job and order, so that each measurement starts from empty stores. */
export async function forgetAll(rig: Rig): Promise<void> {
  await rig.redis.flushall('SYNC');
  await rig.pool.query('TRUNCATE orders, outbox_events, sales CASCADE');
}
