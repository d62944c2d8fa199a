import { setTimeout } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { BuyerPlan, BuyerRecord } from '#stack/crowd/buyer.js';
import { type Crowd, startCrowd } from '#stack/crowd/crowd.js';
import { reckon, untilAtRest, type Verdict } from '#stack/crowd/reckoning.js';
import type { TestStack } from './stack.js';

const CLICKS = 4;
/** A crowd without an answer goes home after this time, in ms. A busy machine answers many times slower. */
export const PATIENCE_MS = 240_000;
const REST_MS = 60_000;
const LOOK_EVERY_MS = 50;
const GLANCE_MS = 200;
const WAITING_ONLY = new Set(['standby', 'paid', 'cancelled', 'rejected', 'sold_out', 'closed']);

/** Returns the plans of buyers who click four times at once. Every `payEvery`th pays, the others let the deadline pass. */
export function impatient(count: number, payEvery: number, name = 'buyer-'): BuyerPlan[] {
  return Array.from({ length: count }, (_, i) => ({
    buyerId: `${name}${i + 1}`,
    clicks: CLICKS,
    withUnit: i % payEvery === 0 ? 'pay' : 'leave',
  }));
}

/** Sends all buyers at the same moment. */
export function rush(stack: TestStack, saleId: string, plans: BuyerPlan[]): Crowd {
  const { baseUrls, authSecret } = stack;
  return startCrowd({ baseUrls, saleId, authSecret, plans, arriveWithinMs: 0, patienceMs: PATIENCE_MS });
}

/**
 * Waits for the end of a crowd. Buyers on standby go home when no unit can come back any more.
 *
 * @returns every buyer with all answers
 */
export async function survivors(stack: TestStack, saleId: string, crowd: Crowd): Promise<BuyerRecord[]> {
  let finished = false;
  const report = crowd.finished.finally(() => {
    finished = true;
  });
  const isIdle = () => Object.keys(crowd.stages()).every(stage => WAITING_ONLY.has(stage));
  const isAtRest = async () => (await untilAtRest(stack.connections, saleId, GLANCE_MS)).length === 0;
  while (!finished) {
    // Idle is checked twice: before the stores are at rest, a buyer on standby may get a unit, pay, and not know yet.
    if (isIdle() && (await isAtRest()) && isIdle()) crowd.sendHome();
    await Promise.race([report, setTimeout(LOOK_EVERY_MS)]);
  }
  return (await report).buyers;
}

/** Expects that a sale has come to rest and has kept every promise. */
export async function expectProof(stack: TestStack, saleId: string, buyers: BuyerRecord[]): Promise<Verdict> {
  expect(await untilAtRest(stack.connections, saleId, REST_MS)).toEqual([]);
  const verdict = await reckon(stack.connections, saleId, buyers);
  expect(verdict.wrong).toEqual([]);
  expect(verdict.reckoning).toMatchObject({ oversold: 0, duplicates: 0, lost: 0, auditOk: true });
  return verdict;
}

/** Expects one live order for each unit 1..N, each of another buyer. */
export async function expectEachUnitOnce(stack: TestStack, saleId: string, units: number): Promise<void> {
  const live = await stack.connections.db.order.findMany({
    where: { saleId, status: { in: ['pending_payment', 'paid'] } },
    orderBy: { unit: 'asc' },
  });
  expect(live.map(order => order.unit)).toEqual(Array.from({ length: units }, (_, i) => i + 1));
  expect(new Set(live.map(order => order.buyerId)).size).toBe(units);
}
