import type { Sale } from '#core/rules/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { type PaymentStores, PRICE } from '../payments.js';
import { openTestSale, winOne } from '../sales.js';
import { orderOf } from './reading.js';

/** Returns what tests of unpaid orders at a provider share: placing one, moving its deadline, and Postgres's clock. */
export function unpaidOrders(t: PaymentStores) {
  /** Places an order that is not paid yet. */
  async function place(buyerId: string, wanted: Partial<Sale> = {}) {
    const sale = await openTestSale(t, { priceMinor: PRICE, provider: 'signed-webhook', ...wanted });
    const claim = await winOne(t, sale, buyerId);
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    return { sale, claim, order: { orderId: claim.claimId, buyerId } };
  }

  /** Moves the deadline of an order to some seconds from now, and returns it in ms since the epoch. */
  async function endIn(orderId: string, seconds: number): Promise<number> {
    await t.db.$executeRaw`UPDATE orders SET version = version + 1,
      pay_by = clock_timestamp() + ${seconds} * interval '1 second' WHERE id = ${orderId}::uuid`;
    return (await orderOf(t, orderId)).payBy.getTime();
  }

  async function clockMs(): Promise<number> {
    const [row] = await t.db.$queryRaw<
      { ms: number }[]
    >`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms`;
    return row?.ms ?? Number.NaN;
  }

  return { place, endIn, clockMs };
}
