import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import type { BuyerRecord, Stage } from '#stack/crowd/buyer.js';
import { exitCodeOf, reckon } from '#stack/crowd/reckoning.js';
import { aClaim, openTestSale, win } from '../../support/sales.js';
import { loseClaim } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

// The proof of `npm run demo` and `npm run rehearse` on real stores: each violation is made, and has to end the program with 1.

const t = useStores();

// Only a database that is broken stores what these indexes refuse.
beforeAll(async () => {
  await t.db.$executeRaw`DROP INDEX orders_live_unit, orders_live_buyer`;
});

interface Made {
  sale: Sale;
  ann: Claim;
  bob: Claim;
  buyers: BuyerRecord[];
}

const record = (buyerId: string, stage: Stage, claims: [string, number][] = []): BuyerRecord => ({
  plan: { buyerId, clicks: 1, withUnit: 'leave' },
  stage,
  claims: new Map(claims),
});

/** Creates a sold-out sale in which every buyer was told the truth. */
async function soldSale(): Promise<Made> {
  const sale = await openTestSale(t, { units: 2 });
  const [ann, bob] = await win(t, sale, 'ann', 'bob');
  if (!ann || !bob) throw new Error('both should have won');
  await placeOrders(t, { saleId: sale.id, claims: [ann, bob] });
  const buyers = [
    record('ann', 'pending_payment', [[ann.claimId, ann.unit]]),
    record('bob', 'pending_payment', [[bob.claimId, bob.unit]]),
    record('cid', 'sold_out'),
  ];
  return { sale, ann, bob, buyers };
}

async function forceOrder({ id: saleId, currency, priceMinor: amountMinor }: Sale, claim: Claim): Promise<void> {
  const { claimId: id, buyerId, unit } = claim;
  const payBy = new Date(Date.now() + 60_000);
  await t.db.order.create({
    data: { id, saleId, buyerId, unit, currency, payBy, status: 'pending_payment', amountMinor },
  });
}

async function verdictOf({ sale, buyers }: Pick<Made, 'sale' | 'buyers'>) {
  const verdict = await reckon(t, sale.id, buyers);
  return { ...verdict, exitCode: exitCodeOf(verdict, 0) };
}

test('a sale that kept every promise, and buyers who were told so, end with 0', async () => {
  const { wrong, reckoning, exitCode } = await verdictOf(await soldSale());
  expect({ wrong, exitCode }).toEqual({ wrong: [], exitCode: 0 });
  expect(reckoning).toEqual({
    units: 2,
    buyers: 3,
    joined: 0,
    drawing: 0,
    claimed: 2,
    soldOut: 1,
    placed: 2,
    paid: 0,
    cancelled: 0,
    duplicates: 0,
    oversold: 0,
    lost: 0,
    auditOk: true,
  });
});

describe('the program ends with 1 after', () => {
  test('a unit that was sold twice', async () => {
    const made = await soldSale();
    await forceOrder(made.sale, aClaim());
    const { reckoning, exitCode } = await verdictOf(made);
    expect({ ...reckoning, exitCode }).toMatchObject({ oversold: 1, duplicates: 0, auditOk: false, exitCode: 1 });
  });

  test('a buyer who has two orders', async () => {
    const made = await soldSale();
    await forceOrder(made.sale, aClaim({ buyerId: 'ann' }));
    const { reckoning, exitCode } = await verdictOf(made);
    expect({ ...reckoning, exitCode }).toMatchObject({ duplicates: 1, exitCode: 1 });
  });

  test('an accepted claim that has no order', async () => {
    const made = await soldSale();
    const { claimId } = aClaim();
    made.buyers[2] = record('cid', 'queued', [[claimId, 1]]);
    const { reckoning, wrong, exitCode } = await verdictOf(made);
    expect({ lost: reckoning.lost, claimed: reckoning.claimed, exitCode }).toEqual({
      lost: 1,
      claimed: 3,
      exitCode: 1,
    });
    expect(wrong).toContain(`cid was told of claim ${claimId}, which has no order`);
  });

  test('a violation that only the audit sees', async () => {
    const made = await soldSale();
    await loseClaim(t, made.sale.id, made.ann);
    const { reckoning, exitCode } = await verdictOf(made);
    expect({ auditOk: reckoning.auditOk, exitCode }).toEqual({ auditOk: false, exitCode: 1 });
  });

  test('a sale that is not there', async () => {
    const { wrong, exitCode } = await verdictOf({ sale: { id: 'nowhere' } as Sale, buyers: [] });
    expect({ wrong, exitCode }).toEqual({ wrong: ['there is no such sale'], exitCode: 1 });
  });
});

describe('an untrue answer ends the program with 1:', () => {
  test.each<[string, (made: Made) => BuyerRecord, string]>([
    [
      'another unit',
      ({ ann }) => record('ann', 'pending_payment', [[ann.claimId, 2]]),
      'ann was told of unit 2, and ann has unit 1',
    ],
    [
      "another buyer's claim",
      ({ bob }) => record('ann', 'pending_payment', [[bob.claimId, 2]]),
      'ann was told of unit 2, and bob has unit 2',
    ],
    ['sold out, with an order', () => record('ann', 'sold_out'), 'ann was told sold_out, and has a live order'],
    ['closed, with an order', () => record('ann', 'closed'), 'ann was told closed, and has a live order'],
    ['home from standby, with an order', () => record('ann', 'left_standby'), 'ann was told left_standby, and has'],
    [
      'paid, without a payment',
      ({ ann }) => record('ann', 'paid', [[ann.claimId, 1]]),
      'ann was told paid, and the order is pending_payment',
    ],
    ['paid, without an order', () => record('ann', 'paid'), 'ann was told paid, and the order is not there'],
    ['none at all', () => record('ann', 'unanswered'), 'ann never got a final answer'],
  ])('%s', async (_, toldTo, text) => {
    const made = await soldSale();
    made.buyers[0] = toldTo(made);
    const { wrong, exitCode } = await verdictOf(made);
    expect({ wrong: wrong.map(line => line.slice(0, text.length)), exitCode }).toEqual({ wrong: [text], exitCode: 1 });
  });
});
