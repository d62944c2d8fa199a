import { describe, expect, test } from '@jest/globals';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { overviewOf } from '#core/operator/sale-overview.js';
import { readOddPayments } from '#core/postgres/money/odd-payments.js';
import { readStatement } from '#core/postgres/money/statement.js';
import { creditWallets, readBalances } from '#core/postgres/money/wallet.js';
import { readBuyerOrders } from '#core/postgres/orders/buyer-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { buyerPage } from '../../../apps/admin/pages/buyer-page.js';
import { moneyPage } from '../../../apps/admin/pages/money-page.js';
import { salePage } from '../../../apps/admin/pages/sale-page.js';
import { addBalance } from '../../../apps/cli/commands/balance.js';
import { addEndRefund } from '../../../apps/cli/commands/end-refund.js';
import { addSaleCreate } from '../../../apps/cli/commands/sale/create.js';
import { addSaleList } from '../../../apps/cli/commands/sale/list.js';
import { addSaleShow } from '../../../apps/cli/commands/sale/show.js';
import { addStatement } from '../../../apps/cli/commands/statement.js';
import { applyEvents, askToPay, PRICE, usePayments } from '../../support/payments.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { printedBy } from './printed-by.js';

// Each page and command that shows an amount shows it with the decimals of its own currency: 500 yen are JPY 500, and 500
// thousandths of a dinar KWD 0.500.

const t = usePayments();

const env = () => ({ REDIS_URL: t.redisUrl, DATABASE_URL: t.databaseUrl });
const MAY_CHANGE = { mayChange: true };

interface Shown {
  currency: string;
  price: string;
  /** 1,200 minor units, and what is left of them after the price. */
  credit: string;
  rest: string;
  /** 120 minor units. */
  part: string;
  /** 820 minor units, which are left in the wallet. */
  left: string;
}

const SHOWN: Shown[] = [
  { currency: 'EUR', price: 'EUR 5.00', credit: 'EUR 12.00', rest: 'EUR 7.00', part: 'EUR 1.20', left: 'EUR 8.20' },
  { currency: 'JPY', price: 'JPY 500', credit: 'JPY 1200', rest: 'JPY 700', part: 'JPY 120', left: 'JPY 820' },
  { currency: 'KWD', price: 'KWD 0.500', credit: 'KWD 1.200', rest: 'KWD 0.700', part: 'KWD 0.120', left: 'KWD 0.820' },
];

/** Returns the text of a page as it is read. */
const withoutTags = (page: string) => page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

describe.each(SHOWN)('an amount in $currency', ({ currency, price, credit, rest, part, left }) => {
  const buyerId = `spends-${currency}`;

  test('has its decimals in the console and on the command line, from the price to the statement', async () => {
    const sale = await openTestSale(t, { units: 1, priceMinor: PRICE, currency });
    await creditWallets(t.db, [buyerId], { amountMinor: 1_200, currency });
    const claim = await winOne(t, sale, buyerId);
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    await payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId });
    await refundOrderPartially(t, { orderId: claim.claimId, amountMinor: 120, refundedMinor: 0 });
    const terms = withoutTags(salePage(await overviewOf(t, sale), MAY_CHANGE).text);
    expect(terms).toContain(`Price ${price} Opening`);
    for (const [add, args] of [
      [addSaleShow, ['show', sale.id]],
      [addSaleList, ['list']],
    ] as const) {
      expect(await printedBy(add, [...args], env())).toMatch(new RegExp(`${price}\\s`));
    }
    const movements = [
      [credit, credit],
      [price.replace(' ', ' -'), rest],
      [part, left],
    ];
    const page = withoutTags(
      buyerPage(
        {
          buyerId,
          balances: await readBalances(t.db, buyerId),
          statement: await readStatement(t.db, buyerId, 10),
          orders: await readBuyerOrders(t.db, buyerId, 10),
        },
        MAY_CHANGE,
      ).text,
    );
    expect(page).toContain(`${price}, ${part} of it went back`);
    const printed = await printedBy(addStatement, ['statement', '--buyer', buyerId], env());
    for (const [amount, balance] of movements) {
      expect(page).toContain(`${amount} ${balance} `);
      expect(printed).toMatch(new RegExp(`${amount}\\s+${balance}\\s`));
    }
    expect(await printedBy(addBalance, ['balance', '--buyer', buyerId], env())).toBe(`${left}\n`);
  });

  test('has its decimals when a sale is created', async () => {
    const args = ['create', '--id', `new-${currency}`, '--units', '1', `--price=${PRICE}`, `--currency=${currency}`];
    expect(await printedBy(addSaleCreate, args, env())).toContain(`1 units at ${price}, `);
  });

  test('has its decimals where a payment is odd, and other money has its own', async () => {
    const { claim } = await askToPay(t, `disputes-${currency}`, { currency });
    await t.fake.pay(claim.claimId);
    await applyEvents(t, claim);
    await t.fake.dispute(claim.claimId, 120);
    await applyEvents(t, claim, { type: 'charge.dispute.created' });
    const { claim: other } = await askToPay(t, `takes-other-than-${currency}`, { currency });
    await t.fake.pay(other.claimId, { amountMinor: 1_234, currency: 'TND' });
    await t.db.payment.updateMany({ where: { orderId: other.claimId }, data: { askAt: new Date(0) } });
    await askProviders(t);
    await t.db.payment.updateMany({ where: { orderId: other.claimId }, data: { returnedMinor: 234 } });
    const odd = await readOddPayments(t.db, 100);
    const page = (orderId: string) =>
      withoutTags(
        moneyPage(
          [],
          odd.filter(one => one.orderId === orderId),
          MAY_CHANGE,
        ).text,
      );
    expect(page(claim.claimId)).toContain(`${price} were asked for.`);
    expect(page(claim.claimId)).toContain(`A dispute withholds ${part}: answer`);
    expect(page(other.claimId)).toContain(`${price} were asked for.`);
    expect(page(other.claimId)).toContain('TND 0.234 went back.');
    const ending = ['end-refund', other.claimId, '--note', 'at the bank'];
    expect(await printedBy(addEndRefund, ending, env())).toBe(`TND 1.000 of order ${other.claimId} is ended\n`);
  });

  test('has its decimals when a refund is ended by hand', async () => {
    const { claim } = await askToPay(t, `ends-${currency}`, { currency });
    await t.fake.pay(claim.claimId);
    await applyEvents(t, claim);
    await refundOrder(t, { orderId: claim.claimId, restock: true });
    const ending = ['end-refund', claim.claimId, '--note', 'at the bank'];
    expect(await printedBy(addEndRefund, ending, env())).toBe(`${price} of order ${claim.claimId} is ended\n`);
  });
});
