import { afterAll, beforeAll } from '@jest/globals';
import { parseProviderEvent } from '#core/payments/provider-event.js';
import { createSignedWebhook } from '#core/payments/signed-webhook.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { payOrder } from '#core/steps/pay-order.js';
import { takePaymentEvent } from '#core/steps/payment-event.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { openTestSale, winOne } from './sales.js';
import { type TestStores, useStores } from './stores/stores.js';

/** The price of a unit, in minor units. */
export const PRICE = 500;

/** A part of the price, in minor units. */
export const PART = 200;

/** Stores, and a provider whose events arrive only when a test applies them. */
export interface PaymentStores extends TestStores {
  fake: FakeProvider;
}

/** Starts stores and a provider before the tests of the calling file, and stops both afterwards. */
export function usePayments(): PaymentStores {
  const stores = useStores() as PaymentStores;
  beforeAll(async () => {
    // Port 9 is the discard service: every event is lost.
    stores.fake = await startFakeProvider('http://127.0.0.1:9/');
    await stores.fake.mood({ lose: true });
    const { PAYMENT_PROVIDER_URL: url = '', PAYMENT_PROVIDER_KEY: key = '' } = stores.fake.settings;
    stores.providers = { 'signed-webhook': createSignedWebhook({ url, key }, [stores.fake.secret]) };
  });
  afterAll(() => stores.fake.stop());
  return stores;
}

/** Opens a sale, places the order of a buyer, and asks to pay at the provider. */
export async function askToPay(stores: PaymentStores, buyerId: string, wanted: Partial<Sale> = {}) {
  const sale = await openTestSale(stores, { units: 1, priceMinor: PRICE, provider: 'signed-webhook', ...wanted });
  const claim = await winOne(stores, sale, buyerId);
  await placeOrders(stores, { saleId: sale.id, claims: [claim] });
  await payOrder(stores, { saleId: sale.id, claimId: claim.claimId, buyerId });
  return { sale, claim };
}

/** Opens a sale whose order a buyer has paid at the provider. */
export async function payAtProvider(stores: PaymentStores, buyerId: string, wanted: Partial<Sale> = {}) {
  const { sale, claim } = await askToPay(stores, buyerId, wanted);
  await stores.fake.pay(claim.claimId);
  await applyEvents(stores, claim);
  return { sale, claim };
}

/** The events to apply. */
interface Selection {
  /** `payment_intent.succeeded` by default. */
  type?: string;
  /** Only the event with this id. */
  id?: string;
  /** Number of times that each event arrives, all at once; 1 by default. */
  times?: number;
}

/** Applies the provider's events about an order. */
export async function applyEvents(
  stores: PaymentStores,
  { claimId }: Claim,
  { type = 'payment_intent.succeeded', id, times = 1 }: Selection = {},
): Promise<void> {
  const events = (await stores.fake.events()).filter(
    event => event.orderId === claimId && (id === undefined ? event.type === type : event.id === id),
  );
  for (const { body } of events) {
    const event = parseProviderEvent(Buffer.from(body));
    if (!event) throw new Error(`not an event: ${body}`);
    await Promise.all(
      Array.from({ length: times }, () => takePaymentEvent(stores, { provider: 'signed-webhook', event })),
    );
  }
}
