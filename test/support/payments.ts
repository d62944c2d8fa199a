import { afterAll, beforeAll } from '@jest/globals';
import { parseProviderEvent } from '#core/payments/provider-event.js';
import { signedWebhook } from '#core/payments/signed-webhook.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { payOrder } from '#core/steps/pay-order.js';
import { takePaymentEvent } from '#core/steps/payment-event.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { openTestSale, type TestStores, useStores, winOne } from './stores/stores.js';

export const PRICE = 500;

/** Stores, and a provider whose events go nowhere unless a test hands them over. */
export interface PaymentBench extends TestStores {
  fake: FakeProvider;
}

/** Starts both before the tests of the file that calls it, and ends them after. */
export function usePayments(): PaymentBench {
  const bench = useStores() as PaymentBench;
  beforeAll(async () => {
    // Port 9 discards: as if every event were lost.
    bench.fake = await startFakeProvider('http://127.0.0.1:9/');
    await bench.fake.mood({ lose: true });
    const { PAYMENT_PROVIDER_URL: url = '', PAYMENT_PROVIDER_KEY: key = '' } = bench.fake.settings;
    bench.providers = { 'signed-webhook': signedWebhook({ url, key }, [bench.fake.secret]) };
  });
  afterAll(() => bench.fake.stop());
  return bench;
}

/** An order that its buyer has asked to pay at the provider. */
export async function asked(bench: PaymentBench, buyerId: string, wanted: Partial<Sale> = {}) {
  const sale = await openTestSale(bench, { units: 1, priceMinor: PRICE, provider: 'signed-webhook', ...wanted });
  const claim = await winOne(bench, sale, buyerId);
  await placeOrders(bench, { saleId: sale.id, claims: [claim] });
  await payOrder(bench, { saleId: sale.id, claimId: claim.claimId, buyerId });
  return { sale, claim };
}

/** Hands the provider's events of an order over, those of one type or all, as often as it says. */
export async function tell(bench: PaymentBench, { claimId }: Claim, type = 'payment_intent.succeeded', times = 1) {
  const events = (await bench.fake.events()).filter(event => event.orderId === claimId && event.type === type);
  for (const { body } of events) {
    const event = parseProviderEvent(Buffer.from(body));
    if (!event) throw new Error(`not an event: ${body}`);
    await Promise.all(
      Array.from({ length: times }, () => takePaymentEvent(bench, { provider: 'signed-webhook', event })),
    );
  }
}
