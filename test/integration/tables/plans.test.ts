import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { expireOverdue } from '#core/maintenance/expire-overdue.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import { prune } from '#core/maintenance/prune.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { tellShop } from '#core/maintenance/tell-shop.js';
import { overviewsOf } from '#core/operator/sale-overview.js';
import { readSignals } from '#core/operator/signals.js';
import { checkBooks } from '#core/postgres/books/check.js';
import { connectDatabase, type Database, Prisma } from '#core/postgres/database.js';
import { readDeadNotices, reviveNotices } from '#core/postgres/deliveries/dead-notices.js';
import { readOddPayments } from '#core/postgres/money/odd-payments.js';
import { readStatement } from '#core/postgres/money/statement.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { readBuyerOrders } from '#core/postgres/orders/buyer-orders.js';
import { readSales } from '#core/postgres/sales.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { keepAllEntries } from '#core/steps/line/keep-entries.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { settleReceipt } from '#core/steps/settle-receipt.js';
import { createDraw, join, letOpen, readLine } from '../../support/draws/lines.js';
import { SHOP_SECRET, startShop, type TestShop } from '../../support/http/shop.js';
import { openGoodSales } from '../../support/money/good-money.js';
import { askToPay, type PaymentStores, usePayments } from '../../support/payments.js';
import { fillGrownTables } from '../../support/postgres/grown-tables.js';
import { faultsOf, plansDuring, sendPlans } from '../../support/postgres/plans.js';
import { aClaim, buyers, openTestSale, win } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';

// Every statement that runs in normal operation, in a database of some years: none of them reads a table from end to end.
// Postgres itself reports the plan of each statement that the product sends.

const t = usePayments();
let db: Database;
let shop: TestShop;
let ctx: PaymentStores;

beforeAll(async () => {
  await fillGrownTables(t.databaseUrl);
  await sendPlans(t.databaseUrl);
  shop = await startShop();
  db = connectDatabase(t.databaseUrl, { connections: 8 });
  ctx = { ...t, db, shop: { url: shop.url, secret: SHOP_SECRET } };
}, 120_000);

afterAll(async () => {
  await db?.$disconnect();
  shop?.server.close();
});

const faultsDuring = async (work: () => Promise<unknown>) => {
  const plans = await plansDuring(work);
  return { plans, faults: [...new Set(plans.flatMap(faultsOf))] };
};

describe('no statement reads a grown table from end to end', () => {
  test('of the steps of an order and its money', async () => {
    const { plans, faults } = await faultsDuring(async () => {
      await tellShop(ctx);
      await openGoodSales(ctx, ['grown']);
      const sale = await openTestSale(ctx, { units: 200, settlement: 'immediate', priceMinor: 500 });
      await creditWallets(db, buyers(100, 'funds'), { amountMinor: 500, currency: 'EUR' });
      await placeOrders(ctx, { saleId: sale.id, claims: await win(ctx, sale, ...buyers(120, 'funds')) });
      const { claim } = await askToPay(ctx, 'changes-their-mind');
      await cancelOrder(ctx, { saleId: sale.id, ...claim });
      const lost = aClaim();
      await settleReceipt(ctx, { saleId: sale.id, ...lost, unit: 150 });
    });
    expect(faults).toEqual([]);
    // Enough kinds of statements show that the plans arrive.
    expect(new Set(plans.map(({ statement }) => statement)).size).toBeGreaterThan(50);
  });

  test.each([
    ['expire-overdue', () => expireOverdue(ctx)],
    ['deliver-events', () => deliverEvents(ctx)],
    ['ask-providers', () => askProviders(ctx)],
    ['finish-payments', () => finishPayments(ctx)],
    ['tell-shop', () => tellShop(ctx)],
    ['prune', () => prune(ctx)],
    ['check-books', () => checkBooks(db)],
    ['reconcile', () => reconcileAll(ctx)],
  ])('of a round of %s', async (name, runOnce) => {
    const sale = await openTestSale(ctx, { units: 40 });
    const claims = await win(ctx, sale, ...buyers(40, name));
    await placeOrders(ctx, { saleId: sale.id, claims });
    await backdateDeadlines(ctx, claims.slice(0, 20));
    const { plans, faults } = await faultsDuring(runOnce);
    expect(faults).toEqual([]);
    expect(plans.length).toBeGreaterThan(0);
  });

  test('of placing units that came back unpaid', async () => {
    const sale = await openTestSale(ctx, { units: 100, retryPayWithinSeconds: 60 });
    const given = await win(ctx, sale, ...buyers(50, 'given'));
    await placeOrders(ctx, { saleId: sale.id, claims: given });
    for (const claim of given.slice(0, 5)) await cancelOrder(ctx, { saleId: sale.id, ...claim });
    const claims = await win(ctx, sale, ...buyers(55, 'taken'));
    const { faults } = await faultsDuring(() => placeOrders(ctx, { saleId: sale.id, claims }));
    expect(faults).toEqual([]);
    const orders = await db.order.findMany({ where: { saleId: sale.id, buyerId: { startsWith: 'taken' } } });
    expect(orders.filter(({ payBy, placedAt }) => payBy.getTime() - placedAt.getTime() === 60_000)).toHaveLength(5);
  });

  test('of the steps of a draw', async () => {
    const { plans, faults } = await faultsDuring(async () => {
      const sale = await createDraw(ctx, { units: 3 });
      await join(ctx, sale, ...buyers(100, 'draw'));
      await keepAllEntries(ctx);
      await letOpen(ctx, sale);
      await drawAllLots(ctx);
      expect(await readLine(ctx, sale)).toHaveLength(97);
    });
    expect(faults).toEqual([]);
    expect(new Set(plans.map(({ statement }) => statement)).size).toBeGreaterThan(8);
  });

  test('of the audit and the pages of the console', async () => {
    const sale = await openTestSale(ctx);
    for (let i = 0; i < 3; i += 1) {
      await db.$executeRaw`UPDATE books_checkpoint SET seen_at = seen_at - interval '61 seconds'`;
      await checkBooks(db);
    }
    const { plans, faults } = await faultsDuring(async () => {
      expect((await audit(db, ctx.redis, sale.id))?.violations).toEqual([]);
      await readOddPayments(db, 100);
      await readDeadNotices(db, 100);
      await reviveNotices(db);
      await readBuyerOrders(db, 'grown-7', 100);
      await readStatement(db, 'grown-7', 100);
      expect(await readSignals(db, 'grown-draw-4', 3)).toMatchObject({ unpaid: 2_000 });
      expect(await overviewsOf({ ...ctx, db }, (await readSales(db)).slice(-1))).toMatchObject([
        { orders: { orders: 4_000 } },
      ]);
    });
    expect(faults).toEqual([]);
    expect(plans.length).toBeGreaterThan(10);
  });
});

describe('a statement is refused', () => {
  test.each([
    ['reads all of orders', Prisma.sql`SELECT count(*) FROM orders WHERE amount_minor = 1`],
    [
      'reads more rows than a batch has',
      Prisma.sql`SELECT min(unit) FROM orders WHERE status = 'pending_payment' AND pay_by > now() - interval '1 day'`,
    ],
    [
      'walks through an index',
      Prisma.sql`SELECT order_id FROM transfers WHERE order_id > '00000000-0000-0000-0000-000000000000' AND part = 7`,
    ],
    [
      'asks the clock for each row of orders',
      Prisma.sql`SELECT id FROM orders WHERE status = 'pending_payment' AND pay_by <= clock_timestamp() ORDER BY pay_by LIMIT 1`,
    ],
  ])('that %s', async (fault, statement) => {
    const { faults } = await faultsDuring(() => db.$queryRaw(statement));
    expect(faults.join()).toContain(fault);
  });
});
