import { expect, test } from '@jest/globals';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import type { Claim } from '#core/rules/claim.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { orderOf } from '../../support/money/reading.js';
import { applyEvents, askToPay, PRICE, usePayments } from '../../support/payments.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';

const t = usePayments();

const AT_PROVIDER = { units: 1, priceMinor: PRICE, provider: 'signed-webhook', unpaidLimit: 2 } as const;

/** Lets the time to pay of a claim be over, and returns why its order ended, and its buyer's strikes. */
async function ended(saleId: string, claim: Claim): Promise<[string | null | undefined, number | undefined]> {
  await backdateDeadlines(t, [claim]);
  await expireOrders(t, { claimIds: [claim.claimId] });
  const { reason } = await orderOf(t, claim.claimId);
  return [reason, (await readSnapshot(t.redis, saleId))?.claims.get(claim.buyerId)?.strikes];
}

/** Asks to pay at a provider that is away, as many seconds ago. */
async function askWhileDown(buyerId: string, secondsAgo: number) {
  const sale = await openTestSale(t, AT_PROVIDER);
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await t.fake.mood({ down: true });
  await expect(payOrder(t, { saleId: sale.id, ...claim })).rejects.toThrow();
  await t.fake.mood({ down: false });
  await t.db.$executeRaw`UPDATE payments SET created_at = clock_timestamp() - ${secondsAgo} * interval '1 second'
    WHERE order_id = ${claim.claimId}::uuid`;
  return { sale, claim };
}

test('a payment that the provider did not offer is no strike', async () => {
  const { sale, claim } = await askWhileDown('ann', 6);
  expect(await ended(sale.id, claim)).toEqual(['provider_failed', undefined]);
});

test('a click in the last seconds leaves the provider no time, and is one', async () => {
  const { sale, claim } = await askWhileDown('ann', 2);
  expect(await ended(sale.id, claim)).toEqual(['unpaid', 1]);
});

test.each<[string, (claim: Claim) => Promise<unknown>]>([
  ['that the buyer did not pay', async () => undefined],
  [
    'that was refused',
    async claim => {
      await t.fake.cancel(claim.claimId);
      await applyEvents(t, claim, { type: 'payment_intent.canceled' });
    },
  ],
])('a payment %s is a strike', async (_what, happens) => {
  const { sale, claim } = await askToPay(t, 'ann', AT_PROVIDER);
  await happens(claim);
  expect(await ended(sale.id, claim)).toEqual(['unpaid', 1]);
});

test('late money that goes back takes its strike back', async () => {
  const { sale, claim } = await askToPay(t, 'ann', { ...AT_PROVIDER, lateMoney: 'refund' });
  expect(await ended(sale.id, claim)).toEqual(['unpaid', 1]);
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await finishPayments(t);
  const record = (await readSnapshot(t.redis, sale.id))?.claims.get('ann');
  expect(record).toMatchObject({ reason: 'refunded_late_payment' });
  expect(record?.strikes).toBeUndefined();
});

test('late money of a struck buyer buys a unit again, and its strike stays', async () => {
  const { sale, claim } = await askToPay(t, 'ann', AT_PROVIDER);
  await ended(sale.id, claim);
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('ann')).toMatchObject({ status: 'paid', strikes: 1 });
});
