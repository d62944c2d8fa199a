import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { tellShop } from '#core/maintenance/tell-shop.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { readDeadNotices, reviveNotices } from '#core/postgres/deliveries/dead-notices.js';
import { ATTEMPTS_MAX } from '#core/postgres/deliveries/notices.js';
import { wantNotices } from '#core/postgres/deliveries/shop-webhook.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { insertUnpaidOrders } from '#core/postgres/orders/insert-orders.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import type { StepContext } from '#core/steps/context.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { eventually } from '../../support/eventually.js';
import { SHOP_SECRET, startShop, type TestShop } from '../../support/http/shop.js';
import { buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();
let shop: TestShop;
let ctx: StepContext;

beforeAll(async () => {
  shop = await startShop();
  ctx = { ...t, shop: { url: shop.url, secret: SHOP_SECRET } };
});

beforeEach(async () => {
  // A test may have forgotten the shop's wish.
  await wantNotices(t.db);
  await t.db.outboxEvent.deleteMany({ where: { kind: { not: 'release' } } });
  shop.received.length = 0;
  shop.answers = () => 200;
});

afterAll(() => {
  shop.server.close();
});

async function placed(...names: string[]) {
  const sale = await openTestSale(t, { units: names.length, priceMinor: 500 });
  const claims = await win(t, sale, ...names);
  await placeOrders(ctx, { saleId: sale.id, claims });
  return { sale, claims };
}

const makeDue = () => t.db.outboxEvent.updateMany({ where: { deadAt: null }, data: { attemptAt: new Date(0) } });

test('the shop gets a signed notice of each change of an order, in sequence', async () => {
  const sale = await openTestSale(t, { units: 2, priceMinor: 500 });
  const claim = await winOne(t, sale, 'whole');
  await creditWallets(t.db, ['whole'], { amountMinor: 500, currency: 'EUR' });
  await placeOrders(ctx, { saleId: sale.id, claims: [claim] });
  await payOrder(ctx, { saleId: sale.id, claimId: claim.claimId, buyerId: 'whole' });
  await refundOrder(ctx, { orderId: claim.claimId, restock: true });
  const other = await winOne(t, sale, 'other');
  await placeOrders(ctx, { saleId: sale.id, claims: [other] });
  await cancelOrder(ctx, { saleId: sale.id, ...other });
  expect(await tellShop(ctx)).toBe(5);
  const typesOf = (orderId: string) =>
    shop.received.filter(({ data }) => data.orderId === orderId).map(({ type }) => type);
  expect(typesOf(claim.claimId)).toEqual(['order.placed', 'order.paid', 'order.refunded']);
  expect(typesOf(other.claimId)).toEqual(['order.placed', 'order.cancelled']);
  expect(shop.received.filter(({ signed }) => !signed)).toEqual([]);
  expect(shop.received[0]?.data).toMatchObject({
    saleId: sale.id,
    buyerId: 'whole',
    amountMinor: 500,
    currency: 'EUR',
  });
  expect(await tellShop(ctx)).toBe(0);
});

test('a slow answer of the shop does not hold up the other notices of its batch', async () => {
  const names = buyers(150, 'batch');
  await placed(...names);
  // The answer to the first notice waits for all others, which are many more than are in flight at once.
  const othersTold = eventually(() => expect(shop.received).toHaveLength(names.length - 1));
  shop.answers = async ({ data }) => {
    if (data.buyerId === names[0]) await othersTold;
    return 200;
  };
  expect(await tellShop(ctx)).toBe(names.length);
});

test('a round tells more notices than one batch has, and several of one order', async () => {
  const { sale, claims } = await placed(...buyers(170, 'many'));
  for (const claim of claims.slice(0, 3)) await cancelOrder(ctx, { saleId: sale.id, ...claim });
  expect(await tellShop(ctx)).toBe(173);
});

test('the shop gets notices of placing and paying with immediate settlement, and none of a rejection', async () => {
  const sale = await openTestSale(t, { units: 2, priceMinor: 500, settlement: 'immediate' });
  await creditWallets(t.db, ['funds'], { amountMinor: 500, currency: 'EUR' });
  await placeOrders(ctx, { saleId: sale.id, claims: await win(t, sale, 'funds', 'none') });
  await tellShop(ctx);
  expect(shop.received.map(({ type, data }) => [type, data.buyerId])).toEqual([
    ['order.placed', 'funds'],
    ['order.paid', 'funds'],
  ]);
});

test('a failed notice is retried, and later notices of the same order wait', async () => {
  const { sale, claims } = await placed('slow', 'quick');
  const [slow] = claims;
  if (!slow) throw new Error('nobody won');
  await cancelOrder(ctx, { saleId: sale.id, ...slow });
  shop.answers = ({ data, type }, times) =>
    data.buyerId === 'slow' && type === 'order.placed' && times === 1 ? 500 : 200;
  expect(await tellShop(ctx)).toBe(1);
  expect(shop.received.map(({ data }) => data.buyerId)).toEqual(['quick']);
  const waiting = await t.db.outboxEvent.findMany({ where: { orderId: slow.claimId, kind: { not: 'release' } } });
  expect(waiting.map(({ attempts }) => attempts).sort()).toEqual([0, 1]);
  // They become due together: a notice that waits for another one is not read in vain.
  expect(new Set(waiting.map(({ attemptAt }) => attemptAt.getTime())).size).toBe(1);
  await makeDue();
  expect(await tellShop(ctx)).toBe(2);
  expect(shop.received.slice(1).map(({ type }) => type)).toEqual(['order.placed', 'order.cancelled']);
});

test.each([300, 301, 302, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503])(
  'an answer %i does not accept a notice, which is sent again',
  async status => {
    await placed(`answered-${status}`);
    shop.answers = () => status;
    expect(await tellShop(ctx)).toBe(0);
    expect(await t.db.outboxEvent.findFirst({ where: { kind: 'order.placed' } })).toMatchObject({
      deliveredAt: null,
      deadAt: null,
      attempts: 1,
      lastError: expect.stringMatching(status >= 400 ? `HTTP ${status}` : /./),
    });
    shop.answers = () => 200;
    expect(await tellShop(ctx)).toBe(0);
    await makeDue();
    expect(await tellShop(ctx)).toBe(1);
    expect(shop.received).toHaveLength(1);
  },
);

test.each([201, 202, 204])('an answer %i accepts a notice', async status => {
  await placed(`accepted-${status}`);
  shop.answers = () => status;
  expect(await tellShop(ctx)).toBe(1);
  await makeDue();
  expect(await tellShop(ctx)).toBe(0);
});

test('a notice that is not accepted is sent again after 2, 4, 8 … s, and at last once an hour', async () => {
  await placed('patient');
  shop.answers = () => 404;
  const now = async () =>
    Number(
      (
        await t.db.$queryRaw<[{ at: number }]>`
    SELECT extract(epoch FROM clock_timestamp())::float8 AS at`
      )[0].at,
    );
  const seen: [least: number, most: number][] = [];
  for (let i = 0; i < ATTEMPTS_MAX; i += 1) {
    await makeDue();
    const before = await now();
    await tellShop(ctx);
    const after = await now();
    const row = await t.db.outboxEvent.findFirstOrThrow({ where: { kind: 'order.placed' } });
    const at = row.attemptAt.getTime() / 1_000;
    // The row has milliseconds, rounded.
    seen.push([at - after - 0.001, at - before + 0.001]);
    expect(row.deadAt !== null).toBe(i === ATTEMPTS_MAX - 1);
  }
  const pauses = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600, 3_600, 3_600, 3_600];
  expect(seen.filter(([least, most], i) => least > (pauses[i] ?? 0) || most < (pauses[i] ?? 0))).toEqual([]);
});

test('a dead notice is revived by its id alone, and one that was delivered is not', async () => {
  await placed('dead-1', 'dead-2', 'delivered');
  await t.db.outboxEvent.updateMany({ where: { kind: 'order.placed' }, data: { deadAt: new Date(), attempts: 16 } });
  const [first, second, delivered] = await t.db.outboxEvent.findMany({ where: { kind: 'order.placed' } });
  await t.db.outboxEvent.updateMany({ where: { id: delivered?.id ?? 0n }, data: { deliveredAt: new Date() } });
  expect((await readDeadNotices(t.db, 10)).map(({ id }) => id)).toEqual([second?.id, first?.id]);
  expect(await reviveNotices(t.db, first?.id)).toBe(1);
  expect((await readDeadNotices(t.db, 10)).map(({ id }) => id)).toEqual([second?.id]);
  expect(await reviveNotices(t.db, delivered?.id)).toBe(0);
  await tellShop(ctx);
  expect(shop.received.map(({ data }) => data.orderId)).toEqual([first?.orderId]);
});

test('a notice is dead after the last attempt, and reviving it delivers the waiting ones as well', async () => {
  const { sale, claims } = await placed('dead');
  const [claim] = claims;
  if (!claim) throw new Error('nobody won');
  await cancelOrder(ctx, { saleId: sale.id, ...claim });
  shop.answers = () => 503;
  for (let i = 0; i < ATTEMPTS_MAX; i += 1) {
    await makeDue();
    await tellShop(ctx);
  }
  expect(await readDeadNotices(t.db, 10)).toMatchObject([
    { kind: 'order.placed', orderId: claim.claimId, lastError: 'HTTP 503' },
  ]);
  shop.answers = () => 200;
  await makeDue();
  expect(await tellShop(ctx)).toBe(0);
  expect(await reviveNotices(t.db)).toBe(1);
  await makeDue();
  expect(await tellShop(ctx)).toBe(2);
});

test('a revived notice has all its attempts again', async () => {
  await placed('again');
  await t.db.outboxEvent.updateMany({
    where: { kind: 'order.placed' },
    data: { deadAt: new Date(), attempts: ATTEMPTS_MAX },
  });
  await reviveNotices(t.db);
  shop.answers = () => 503;
  expect(await tellShop(ctx)).toBe(0);
  expect(await t.db.outboxEvent.findFirst({ where: { kind: 'order.placed' } })).toMatchObject({
    attempts: 1,
    deadAt: null,
  });
});

test('a worker without the settings of the webhook writes notices for the shop of another worker', async () => {
  const sale = await openTestSale(t, { units: 20 });
  const claims = await win(t, sale, ...buyers(20, 'told'));
  await placeOrders(t, { saleId: sale.id, claims });
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id } })).toBe(20);
});

test.each([
  ['never asked for notices', () => t.db.shopWebhook.deleteMany()],
  ['asked for notices long ago', () => t.db.shopWebhook.updateMany({ data: { wantedUntil: new Date(0) } })],
])('a shop that %s costs no row', async (_, forget) => {
  await forget();
  const sale = await openTestSale(t, { units: 20 });
  await placeOrders(t, { saleId: sale.id, claims: await win(t, sale, ...buyers(20, 'silent')) });
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id } })).toBe(0);
  expect(await tellShop(t)).toBe(0);
  await tellShop(ctx);
  expect(await t.db.shopWebhook.count({ where: { wantedUntil: { gt: new Date() } } })).toBe(1);
});

test('a connection of an older version says for itself that the shop wants notices', async () => {
  await t.db.$executeRaw`DELETE FROM shop_webhook`;
  const sale = await openTestSale(t, { units: 2 });
  const [first, second] = await win(t, sale, 'quiet', 'loud');
  if (!first || !second) throw new Error('two buyers won');
  await placeOrders(t, { saleId: sale.id, claims: [first] });
  await t.db.$transaction(async tx => {
    await tx.$queryRaw`SELECT set_config('dropline.shop_webhooks', 'on', true)`;
    await insertUnpaidOrders(tx, sale.id, [second]);
  });
  expect(await t.db.outboxEvent.findMany({ where: { saleId: sale.id }, select: { orderId: true } })).toEqual([
    { orderId: second.claimId },
  ]);
});
