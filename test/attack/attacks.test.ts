import { describe, expect, test } from '@jest/globals';
import { signBody } from '#core/payments/signature.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { refundOrder } from '#core/steps/refund-order.js';
import { readLoadedSale } from '#core/stock/sale.js';
import { eventually } from '../support/eventually.js';
import { buyers } from '../support/stores.js';
import { inLanes, PRICE, useArena } from './arena.js';
import { provedMoney } from './money-proof.js';

const t = useArena();

const BUYERS = 1_000;
const ROUNDS = 1_000;
/** What the naive shop gets: it fails at once. */
const FEW = 50;
const LANES = 16;
const STEP = 0.1;
const RELEASED_WITHIN_MS = 2_000;

const countOrders = (saleId: string, status: string) => t.ctx.db.order.count({ where: { saleId, status } });
const expectProof = async (...saleIds: string[]) => {
  for (const saleId of saleIds) expect((await t.stack.audit(saleId)).violations).toEqual([]);
  const broken = Object.entries(await provedMoney(t.ctx.db)).filter(([, count]) => count !== 0);
  expect(broken).toEqual([]);
};
const lost = (attack: string, what: string) => t.losses.push(`${attack}: ${what}`);

/** A paid order of a sale at the provider, for one buyer. */
async function atProvider(buyer: string) {
  const saleId = await t.stack.createSale({
    units: 1,
    priceMinor: PRICE,
    provider: 'signed-webhook',
    standbyFactor: 0,
  });
  await t.stack.buy(buyer, saleId);
  const pending = await eventually(async () => {
    const { status, claimId = '' } = await t.stack.status(buyer, saleId);
    expect(status).toBe('pending_payment');
    return claimId;
  });
  await t.stack.pay(buyer, saleId);
  await eventually(async () => expect((await t.fake.payments()).some(({ orderId }) => orderId === pending)).toBe(true));
  return { saleId, orderId: pending };
}

describe('spending', () => {
  test('money for one purchase in two sales at once buys one, and the other unit is free within 2 s', async () => {
    const wishes = { units: BUYERS, priceMinor: PRICE, settlement: 'immediate', standbyFactor: 0 } as const;
    const sales = [await t.stack.createSale(wishes), await t.stack.createSale(wishes)];
    const names = buyers(BUYERS, 'once');
    await t.stack.credit(names, PRICE);
    await Promise.all(names.flatMap(name => sales.map(saleId => t.stack.buy(name, saleId))));
    const { db, redis } = t.ctx;
    await eventually(
      async () => expect(await db.order.count({ where: { saleId: { in: sales } } })).toBe(2 * BUYERS),
      30_000,
    );
    const placedAt = performance.now();
    await eventually(async () => {
      const loaded = await Promise.all(sales.map(saleId => readLoadedSale(redis, saleId)));
      expect(loaded.reduce((free, sale) => free + (sale?.remaining ?? 0), 0)).toBe(BUYERS);
    });
    expect(performance.now() - placedAt).toBeLessThan(RELEASED_WITHIN_MS);
    const perBuyer = await db.$queryRaw<{ paid: bigint; rejected: bigint }[]>`
      SELECT count(*) FILTER (WHERE status = 'paid') AS paid, count(*) FILTER (WHERE status = 'rejected') AS rejected
      FROM orders WHERE sale_id IN (${sales[0]}, ${sales[1]}) GROUP BY buyer_id`;
    expect(perBuyer).toHaveLength(BUYERS);
    expect(perBuyer.every(({ paid, rejected }) => paid === 1n && rejected === 1n)).toBe(true);
    await expectProof(...sales);
    for (const id of ['a', 'b']) await t.naive.addGoods(`two-${id}`, PRICE, FEW);
    for (const userId of buyers(FEW, 'n-once')) {
      await t.naive.addUser(userId, PRICE);
      await Promise.all(['a', 'b'].map(id => t.naive.buy({ userId, goodsId: `two-${id}` })));
    }
    const books = await t.naive.books('two-a');
    if (books.lowestBalance < 0) lost('overspend', `a wallet at ${books.lowestBalance}: it paid once and bought twice`);
  });

  test('ten clicks of one buyer are one order', async () => {
    const saleId = await t.stack.createSale({ units: 10, priceMinor: PRICE, standbyFactor: 0 });
    await Promise.all(Array.from({ length: 10 }, () => t.stack.buy('clicker', saleId)));
    await eventually(async () => expect(await countOrders(saleId, 'pending_payment')).toBe(1));
    await expectProof(saleId);
    await t.naive.addGoods('clicks', PRICE, 100);
    await t.naive.addUser('n-clicker', 100 * PRICE);
    await Promise.all(Array.from({ length: 10 }, () => t.naive.buy({ userId: 'n-clicker', goodsId: 'clicks' })));
    const { orders } = await t.naive.books('clicks');
    if (orders > 1) lost('double buy', `${orders} orders of one buyer`);
  });

  test('the last unit is sold once', async () => {
    const saleId = await t.stack.createSale({ units: 1, priceMinor: PRICE, standbyFactor: 0 });
    await Promise.all(buyers(FEW, 'last').map(name => t.stack.buy(name, saleId)));
    await eventually(async () => expect(await countOrders(saleId, 'pending_payment')).toBe(1));
    await t.naive.addGoods('last', PRICE, 1);
    for (const name of buyers(FEW, 'n-last')) await t.naive.addUser(name, PRICE);
    await Promise.all(buyers(FEW, 'n-last').map(userId => t.naive.buy({ userId, goodsId: 'last' })));
    const { stock, orders } = await t.naive.books('last');
    if (stock < 0) lost('oversell', `${orders} orders for 1 unit, stock ${stock}`);
  });

  test('ten payments of one order are one capture', async () => {
    const { saleId, claims } = await t.unpaid(1, 'capture');
    await t.stack.credit('capture1', 9 * PRICE);
    await inLanes(
      Array.from({ length: 10 }, () => claims[0]),
      10,
      async claim => {
        if (claim) await payOrder(t.ctx, saleId, claim.claimId, claim.buyerId);
      },
    );
    expect(await t.ctx.db.transfer.count({ where: { orderId: claims[0]?.claimId ?? '' } })).toBe(1);
    await expectProof(saleId);
    await t.naive.addGoods('capture', PRICE, 10);
    await t.naive.addUser('n-capture', 10 * PRICE);
    const id = await t.naive.order({ userId: 'n-capture', goodsId: 'capture' });
    await Promise.all(Array.from({ length: 10 }, () => t.naive.pay(id)));
    const { received } = await t.naive.books('capture');
    if (received > PRICE) lost('double capture', `one order was paid with ${received} instead of ${PRICE}`);
  });
});

describe('races', () => {
  test('pay and expire at the same instant: one wins, a thousand times, and the money agrees', async () => {
    const { saleId, claims } = await t.unpaid(ROUNDS, 'expire');
    // How long before the deadline both are started, in ms: more after each expiry, less after each payment, so that on any machine
    // they arrive at about the deadline.
    let leadMs = 10;
    await inLanes(claims, LANES, async ({ claimId, buyerId }) => {
      await t.ctx.db.$executeRaw`UPDATE orders SET version = version + 1,
        pay_by = clock_timestamp() + ${Math.round(leadMs)} * interval '1 millisecond' WHERE id = ${claimId}::uuid`;
      await Promise.all([payOrder(t.ctx, saleId, claimId, buyerId), expireOrders(t.ctx, [claimId])]);
      const { status } = await t.ctx.db.order.findUniqueOrThrow({ where: { id: claimId } });
      leadMs = Math.max(1, leadMs * (status === 'paid' ? 1 - STEP : 1 + STEP));
    });
    await eventually(async () => expect(await countOrders(saleId, 'pending_payment')).toBe(0));
    const [paid, cancelled] = [await countOrders(saleId, 'paid'), await countOrders(saleId, 'cancelled')];
    expect(paid + cancelled).toBe(ROUNDS);
    process.stderr.write(`pay against expire: ${paid} paid, ${cancelled} expired\n`);
    expect(Math.min(paid, cancelled)).toBeGreaterThan(ROUNDS / 20);
    await eventually(async () => expect((await readLoadedSale(t.ctx.redis, saleId))?.remaining).toBe(cancelled));
    await expectProof(saleId);
  });

  test('pay and cancel at the same instant: one wins, and the money agrees', async () => {
    const { saleId, claims } = await t.unpaid(200, 'cancel');
    await inLanes(claims, LANES, claim =>
      Promise.all([payOrder(t.ctx, saleId, claim.claimId, claim.buyerId), cancelOrder(t.ctx, saleId, claim)]),
    );
    expect((await countOrders(saleId, 'paid')) + (await countOrders(saleId, 'cancelled'))).toBe(200);
    await expectProof(saleId);
    await t.naive.addGoods('cancel', PRICE, FEW);
    await inLanes(buyers(FEW, 'n-cancel'), LANES, async userId => {
      await t.naive.addUser(userId, PRICE);
      const id = await t.naive.order({ userId, goodsId: 'cancel' });
      await Promise.all([t.naive.pay(id), t.naive.cancel(id)]);
    });
    const { received, paid, stock } = await t.naive.books('cancel');
    const unbacked = received / PRICE - paid;
    if (unbacked > 0) lost('pay against cancel', `${unbacked} of ${FEW} paid for a cancelled order`);
    if (stock + paid > FEW) lost('pay against cancel', `${stock + paid - FEW} of ${FEW} units are paid and in stock`);
  });

  test('paying at the provider against cancelling: whoever has paid has the unit, or the money back', async () => {
    await inLanes(buyers(20, 'elsewhere'), 4, async buyer => {
      const { saleId, orderId } = await atProvider(buyer);
      await Promise.all([t.fake.pay(orderId), t.stack.cancel(buyer, saleId)]);
      await eventually(async () => {
        const payment = (await t.fake.payments()).find(one => one.orderId === orderId);
        const kept = (payment?.taken ?? 0) - (payment?.returned ?? 0);
        expect(payment?.taken).toBe(1);
        expect(await countOrders(saleId, 'paid')).toBe(kept);
        expect((await t.stack.status(buyer, saleId)).status).toBe(kept === 1 ? 'paid' : 'cancelled');
      }, 20_000);
      await expectProof(saleId);
    });
  });

  test('ten refunds at once give the money back once', async () => {
    const { saleId, claims } = await t.unpaid(1, 'refund');
    const [claim] = claims;
    if (!claim) throw new Error('nobody won');
    await payOrder(t.ctx, saleId, claim.claimId, claim.buyerId);
    await Promise.all(Array.from({ length: 10 }, () => refundOrder(t.ctx, claim.claimId, true)));
    await expectProof(saleId);
    await t.naive.addGoods('refund', PRICE, 10);
    await t.naive.addUser('n-refund', PRICE);
    const id = await t.naive.order({ userId: 'n-refund', goodsId: 'refund' });
    await t.naive.pay(id);
    await Promise.all(Array.from({ length: 10 }, () => t.naive.refund(id)));
    const { balances } = await t.naive.books('refund');
    if (balances > PRICE) lost('refund twice', `the buyer came with ${PRICE} and left with ${balances}`);
  });
});

describe('events', () => {
  const hooks = '/webhooks/payments/signed-webhook';
  const post = async (body: string, signature: string) =>
    (await fetch(t.stack.baseUrl + hooks, { method: 'POST', body, headers: { 'stripe-signature': signature } })).status;
  const sign = (body: string, atMs = Date.now()) => signBody([t.fake.secret], body, atMs);

  test('repeated, reordered and replayed events are one payment', async () => {
    await t.fake.mood({ times: 5, delayMs: 20 });
    const { saleId, orderId } = await atProvider('repeated');
    await t.fake.pay(orderId);
    await eventually(async () => expect((await t.stack.status('repeated', saleId)).status).toBe('paid'));
    const success = (await t.fake.events()).find(
      one => one.orderId === orderId && one.type === 'payment_intent.succeeded',
    );
    for (let i = 0; i < 5; i += 1) expect(await post(success?.body ?? '', sign(success?.body ?? ''))).toBe(200);
    await t.fake.mood({ times: 1, delayMs: 0, hold: true });
    const reordered = await atProvider('reordered');
    await t.fake.pay(reordered.orderId);
    await t.fake.flush();
    await t.fake.mood({ hold: false });
    await eventually(async () => expect((await t.stack.status('reordered', reordered.saleId)).status).toBe('paid'));
    await expectProof(saleId, reordered.saleId);
    const id = await naiveOrder('n-replay');
    for (let i = 0; i < 5; i += 1) await t.naive.webhook(JSON.stringify({ orderId: id, amount: PRICE }));
    const { received } = await t.naive.books('n-replay');
    if (received > PRICE) lost('replayed event', `${received} in the books for ${PRICE} that came`);
  });

  test('an event that is lost is found by asking, before the order expires', async () => {
    await t.fake.mood({ lose: true });
    const { saleId, orderId } = await atProvider('lost');
    await t.fake.pay(orderId);
    await eventually(async () => expect((await t.stack.status('lost', saleId)).status).toBe('paid'), 15_000);
    await t.fake.mood({ lose: false });
    await expectProof(saleId);
  });

  test('a forged, changed or old event pays nothing, and neither does a true one of another amount', async () => {
    const { saleId, orderId } = await atProvider('forger');
    const payment = (await t.fake.payments()).find(one => one.orderId === orderId);
    const bodyOf = (amount: number) => {
      const object = { id: payment?.id, amount, currency: 'eur', metadata: { order_id: orderId } };
      return JSON.stringify({ id: `evt_${amount}`, type: 'payment_intent.succeeded', data: { object } });
    };
    const body = bodyOf(PRICE);
    for (const signature of [
      '',
      sign(bodyOf(1)),
      sign(body, Date.now() - 600_000),
      signBody(['guessed'], body, Date.now()),
    ]) {
      expect(await post(body, signature)).toBe(400);
    }
    expect(await post(bodyOf(1), sign(bodyOf(1)))).toBe(200);
    await eventually(async () =>
      expect(await t.ctx.db.paymentEvent.findFirst({ where: { eventId: 'evt_1' } })).toMatchObject({
        outcome: 'mismatch',
      }),
    );
    expect((await t.stack.status('forger', saleId)).status).toBe('pending_payment');
    await expectProof(saleId);
    const id = await naiveOrder('n-forged');
    await t.naive.webhook(JSON.stringify({ orderId: id, amount: 1 }));
    const { paid, received } = await t.naive.books('n-forged');
    if (paid === 1) lost('forged event', `a unit for ${PRICE} went out for ${received} that nobody paid`);
  });

  const naiveOrder = async (name: string) => {
    await t.naive.addGoods(name, PRICE, 1);
    await t.naive.addUser(name, PRICE);
    return t.naive.order({ userId: name, goodsId: name });
  };
});

describe('what the client says', () => {
  test('a price and another buyer in the request change nothing', async () => {
    const saleId = await t.stack.createSale({ units: 2, priceMinor: PRICE, settlement: 'immediate', standbyFactor: 0 });
    await t.stack.credit(['mallory', 'alice'], PRICE);
    const lies = { price: 1, priceMinor: 1, amount: 1, userId: 'alice', buyerId: 'alice', sub: 'alice' };
    const query = new URLSearchParams(
      Object.entries(lies).map(([name, value]): [string, string] => [name, String(value)]),
    );
    await fetch(`${t.stack.baseUrl}/buy/${saleId}?${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${t.stack.token('mallory')}`, 'content-type': 'application/json' },
      body: JSON.stringify(lies),
    });
    await eventually(async () => expect(await countOrders(saleId, 'paid')).toBe(1));
    const orders = await t.ctx.db.order.findMany({ where: { saleId } });
    expect(orders).toMatchObject([{ buyerId: 'mallory', amountMinor: BigInt(PRICE) }]);
    await expectProof(saleId);
    await t.naive.addGoods('lies', PRICE, 2);
    await t.naive.addUser('n-alice', PRICE);
    await t.naive.buy({ userId: 'n-alice', goodsId: 'lies', price: 1 });
    const { paid, received } = await t.naive.books('lies');
    if (paid === 1) {
      lost('price in the body', `a unit for ${PRICE} went out for ${received}`);
      lost('buyer in the body', 'n-alice paid for what somebody else ordered');
    }
  });
});

// Last, as it looks back on all of them.
test('the naive shop was harmed by at least four of the attacks: attacks that harm nobody would prove nothing', () => {
  const attacks = new Set(t.losses.map(line => line.split(':')[0]));
  expect(attacks.size).toBeGreaterThanOrEqual(4);
});
