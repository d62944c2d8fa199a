import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectEachUnitOnce, expectProof, impatient, rush, survivors } from '../support/rush.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// Buyers click four times each, all at the same moment, on 50 units.

const BUYERS = 5_000;
/** Enough to fill a standby of 250, with others who are refused. More buyers would change nothing after the rush. */
const FEWER = 1_000;
const UNITS = 50;
const PRICE_MINOR = 4_900;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  const buyerIds = impatient(BUYERS, 1).map(({ buyerId }) => buyerId);
  // Enough for four purchases: one per test, and one to spare.
  await stack.credit(buyerIds, 4 * PRICE_MINOR);
});
afterAll(() => stack?.stop());

test.each([0, 5])('each unit is sold to exactly one buyer with a standby factor of %i', async standbyFactor => {
  const saleId = await stack.createSale({ units: UNITS, standbyFactor, priceMinor: PRICE_MINOR });
  const buyers = await survivors(stack, saleId, rush(stack, saleId, impatient(BUYERS, 1)));
  await expectEachUnitOnce(stack, saleId, UNITS);
  const { reckoning } = await expectProof(stack, saleId, buyers);
  expect(reckoning).toMatchObject({ placed: UNITS, claimed: UNITS, paid: UNITS, soldOut: BUYERS - UNITS });
});

test('unpaid units come back, and the same buyers can buy them', async () => {
  const saleId = await stack.createSale({
    units: UNITS,
    standbyFactor: 0,
    payWithinSeconds: 5,
    priceMinor: PRICE_MINOR,
  });
  const buyers = await survivors(stack, saleId, rush(stack, saleId, impatient(FEWER, 2)));
  const { reckoning } = await expectProof(stack, saleId, buyers);
  expect(reckoning).toMatchObject({ placed: UNITS, claimed: reckoning.paid + reckoning.cancelled });
  const { free } = await stack.audit(saleId);
  expect(free).toBe(UNITS - reckoning.paid);
  expect(free).toBeGreaterThan(0);

  const late = buyers.filter(({ stage }) => stage === 'cancelled').map(({ plan }) => plan);
  const again = late.map(plan => ({ ...plan, withUnit: 'pay' as const }));
  const second = await survivors(stack, saleId, rush(stack, saleId, again));
  expect(second.filter(({ stage }) => stage === 'paid')).toHaveLength(free);
  await expectEachUnitOnce(stack, saleId, UNITS);
  expect((await expectProof(stack, saleId, second)).reckoning).toMatchObject({ paid: UNITS });
});

test('unpaid units go to the buyers on standby until all are paid', async () => {
  const saleId = await stack.createSale({
    units: UNITS,
    standbyFactor: 5,
    payWithinSeconds: 5,
    priceMinor: PRICE_MINOR,
  });
  const buyers = await survivors(stack, saleId, rush(stack, saleId, impatient(FEWER, 2)));
  await expectEachUnitOnce(stack, saleId, UNITS);
  const { reckoning } = await expectProof(stack, saleId, buyers);
  expect(reckoning).toMatchObject({ placed: UNITS, paid: UNITS, claimed: UNITS + reckoning.cancelled });
  expect(reckoning.cancelled).toBeGreaterThan(0);
});
