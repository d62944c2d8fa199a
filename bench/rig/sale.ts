import { randomUUID } from 'node:crypto';
import { createSale } from '#core/operator/create-sale.js';
import { CLAIM_BATCH_MAX, type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { openSale, type StartingState } from '#core/redis/sale/open-sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { ordinarySale } from '#stack/crowd/drop.js';
import { buyerName } from '../load/plan.js';
import type { Rig } from './rig.js';

const PAY_WITHIN_SECONDS = 3_600;

let salesMade = 0;

/** @returns a sale that is open for an hour, like no other; ids are of one length */
export function aSale(units: number): Sale {
  salesMade += 1;
  return ordinarySale({
    id: `bench-${String(salesMade).padStart(5, '0')}`,
    units,
    payWithinSeconds: PAY_WITHIN_SECONDS,
    standbyFactor: 0,
  });
}

/** Opens a sale in Redis only: where no worker is running, nobody misses it in Postgres. */
export async function openInRedis(rig: Rig, units: number, state?: StartingState): Promise<string> {
  const sale = aSale(units);
  await openSale(rig.redis, sale, { state });
  return sale.id;
}

/** Opens a sale as the command line does. */
export async function openEverywhere(rig: Rig, units: number): Promise<string> {
  const sale = aSale(units);
  await createSale(rig, sale);
  return sale.id;
}

/**
 * Has buyers claim, in batches as the API makes them.
 *
 * @param rig the rig
 * @param saleId the sale
 * @param first the first buyer
 * @param count how many
 * @param size of a batch
 * @param onBatch given the winners of each batch
 * @throws Error unless everybody wins
 */
export async function winAll(
  rig: Rig,
  saleId: string,
  first: number,
  count: number,
  size = CLAIM_BATCH_MAX,
  onBatch: (winners: Claim[]) => Promise<void> | void = () => undefined,
): Promise<void> {
  for (let done = 0; done < count; done += size) {
    const requests = Array.from({ length: Math.min(size, count - done) }, (_, i) => ({
      buyerId: buyerName(first + done + i),
      claimId: randomUUID(),
    }));
    await onBatch((await claim(rig.redis, saleId, requests)).map(winnerOf));
  }
}

function winnerOf(outcome: ClaimOutcome): Claim {
  if (outcome.kind !== 'won') throw new Error(`a buyer who should have won: ${outcome.kind}`);
  return outcome.claim;
}

/** Forgets every sale and job, and every order, so that each round starts alike. */
export async function forgetAll(rig: Rig): Promise<void> {
  await rig.redis.flushall('SYNC');
  await rig.pool.query('TRUNCATE orders, outbox_events, sales CASCADE');
}
