import { describe, expect, test } from '@jest/globals';
import { refundOrder } from '#core/operator/refund-order.js';
import { signBody } from '#core/payments/signature.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { eventually } from '../support/eventually.js';
import { buyers } from '../support/sales.js';
import { FEW, inLanes, PRICE, useArena } from './arena.js';

const t = useArena();

const ROUNDS = 1_000;
const LANES = 16;
const STEP = 0.1;

describe('races', () => {
  test('of paying and expiring at the same instant one wins, a thousand times, and the money agrees', async () => {
    const { saleId, claims } = await t.unpaid(ROUNDS, 'expire');
    // The time between start and deadline, in ms, grows after each expiry and shrinks after each payment. So on any
    // machine both arrive at about the deadline.
    let leadMs = 10;
    await inLanes(claims, LANES, async ({ claimId, buyerId }) => {
      await t.ctx.db.$executeRaw`UPDATE orders SET version = version + 1,
        pay_by = clock_timestamp() + ${Math.round(leadMs)} * interval '1 millisecond' WHERE id = ${claimId}::uuid`;
      await Promise.all([payOrder(t.ctx, { saleId, claimId, buyerId }), expireOrders(t.ctx, { claimIds: [claimId] })]);
      const { status } = await t.ctx.db.order.findUniqueOrThrow({ where: { id: claimId } });
      leadMs = Math.max(1, leadMs * (status === 'paid' ? 1 - STEP : 1 + STEP));
    });
    await eventually(async () => expect(await t.countOrders(saleId, 'pending_payment')).toBe(0));
    const [paid, cancelled] = [await t.countOrders(saleId, 'paid'), await t.countOrders(saleId, 'cancelled')];
    expect(paid + cancelled).toBe(ROUNDS);
    process.stderr.write(`pay against expire: ${paid} paid, ${cancelled} expired\n`);
    expect(Math.min(paid, cancelled)).toBeGreaterThan(ROUNDS / 20);
    await eventually(async () => expect((await readLoadedSale(t.ctx.redis, saleId))?.remaining).toBe(cancelled));
    await t.expectProof(saleId);
  });

  test('of paying and cancelling at the same instant one wins, and the money agrees', async () => {
    const { saleId, claims } = await t.unpaid(200, 'cancel');
    await inLanes(claims, LANES, claim =>
      Promise.all([
        payOrder(t.ctx, { saleId, claimId: claim.claimId, buyerId: claim.buyerId }),
        cancelOrder(t.ctx, { saleId, ...claim }),
      ]),
    );
    expect((await t.countOrders(saleId, 'paid')) + (await t.countOrders(saleId, 'cancelled'))).toBe(200);
    await t.expectProof(saleId);
    await t.naive.addGoods('cancel', PRICE, FEW);
    await inLanes(buyers(FEW, 'n-cancel'), LANES, async userId => {
      await t.naive.addUser(userId, PRICE);
      const id = await t.naive.order({ userId, goodsId: 'cancel' });
      await Promise.all([t.naive.pay(id), t.naive.cancel(id)]);
    });
    const { received, paid, stock } = await t.naive.books('cancel');
    const unbacked = received / PRICE - paid;
    if (unbacked > 0) t.lost('pay against cancel', `${unbacked} of ${FEW} paid for a cancelled order`);
    if (stock + paid > FEW) t.lost('pay against cancel', `${stock + paid - FEW} of ${FEW} units are paid and in stock`);
  });

  test('a buyer who pays at the provider while cancelling has the unit, or the money back', async () => {
    await inLanes(buyers(20, 'elsewhere'), 4, async buyer => {
      const { saleId, orderId } = await t.atProvider(buyer);
      await Promise.all([t.fake.pay(orderId), t.stack.cancel(buyer, saleId)]);
      await eventually(async () => {
        const payment = (await t.fake.payments()).find(one => one.orderId === orderId);
        const kept = (payment?.taken ?? 0) - (payment?.returned ?? 0);
        expect(payment?.taken).toBe(1);
        expect(await t.countOrders(saleId, 'paid')).toBe(kept);
        expect((await t.stack.status(buyer, saleId)).status).toBe(kept === 1 ? 'paid' : 'cancelled');
      });
      await t.expectProof(saleId);
    });
  });

  test('ten payments of one order make one capture', async () => {
    const { saleId, claims } = await t.unpaid(1, 'capture');
    await t.stack.credit('capture1', 9 * PRICE);
    await inLanes(
      Array.from({ length: 10 }, () => claims[0]),
      10,
      async claim => {
        if (claim) await payOrder(t.ctx, { saleId, claimId: claim.claimId, buyerId: claim.buyerId });
      },
    );
    expect(await t.ctx.db.transfer.count({ where: { orderId: claims[0]?.claimId ?? '' } })).toBe(1);
    await t.expectProof(saleId);
    await t.naive.addGoods('capture', PRICE, 10);
    await t.naive.addUser('n-capture', 10 * PRICE);
    const id = await t.naive.order({ userId: 'n-capture', goodsId: 'capture' });
    await Promise.all(Array.from({ length: 10 }, () => t.naive.pay(id)));
    const { received } = await t.naive.books('capture');
    if (received > PRICE) t.lost('double capture', `one order was paid with ${received} instead of ${PRICE}`);
  });

  test('ten refunds at once give the money back once', async () => {
    const { saleId, claims } = await t.unpaid(1, 'refund');
    const [claim] = claims;
    if (!claim) throw new Error('nobody won');
    await payOrder(t.ctx, { saleId, claimId: claim.claimId, buyerId: claim.buyerId });
    const refund = () => refundOrder(t.ctx, { orderId: claim.claimId, restock: true });
    // Each repeats what Postgres refuses, as its callers do: nine wait for one lock, and a busy machine may be late.
    await Promise.all(Array.from({ length: 10 }, () => eventually(refund)));
    await t.expectProof(saleId);
    await t.naive.addGoods('refund', PRICE, 10);
    await t.naive.addUser('n-refund', PRICE);
    const id = await t.naive.order({ userId: 'n-refund', goodsId: 'refund' });
    await t.naive.pay(id);
    await Promise.all(Array.from({ length: 10 }, () => t.naive.refund(id)));
    const { balances } = await t.naive.books('refund');
    if (balances > PRICE) t.lost('refund twice', `the buyer came with ${PRICE} and left with ${balances}`);
  });
});

describe('events', () => {
  const hooks = '/webhooks/payments/signed-webhook';
  const post = async (body: string, signature: string) =>
    (await fetch(t.stack.baseUrl + hooks, { method: 'POST', body, headers: { 'stripe-signature': signature } })).status;
  const sign = (body: string, atMs = Date.now()) => signBody([t.fake.secret], body, atMs);

  test('repeated, reordered and replayed events make one payment', async () => {
    await t.fake.mood({ times: 5, delayMs: 20 });
    const { saleId, orderId } = await t.atProvider('repeated');
    await t.fake.pay(orderId);
    await eventually(async () => expect((await t.stack.status('repeated', saleId)).status).toBe('paid'));
    const success = (await t.fake.events()).find(
      one => one.orderId === orderId && one.type === 'payment_intent.succeeded',
    );
    for (let i = 0; i < 5; i += 1) expect(await post(success?.body ?? '', sign(success?.body ?? ''))).toBe(200);
    await t.fake.mood({ times: 1, delayMs: 0, hold: true });
    const reordered = await t.atProvider('reordered');
    await t.fake.pay(reordered.orderId);
    await t.fake.flush();
    await t.fake.mood({ hold: false });
    await eventually(async () => expect((await t.stack.status('reordered', reordered.saleId)).status).toBe('paid'));
    await t.expectProof(saleId, reordered.saleId);
    const id = await naiveOrder('n-replay');
    for (let i = 0; i < 5; i += 1) await t.naive.webhook(JSON.stringify({ orderId: id, amount: PRICE }));
    const { received } = await t.naive.books('n-replay');
    if (received > PRICE) t.lost('replayed event', `${received} in the books for ${PRICE} that came`);
  });

  test('a lost event is replaced by asking the provider before the order expires', async () => {
    await t.fake.mood({ lose: true });
    const { saleId, orderId } = await t.atProvider('lost');
    await t.fake.pay(orderId);
    await eventually(async () => expect((await t.stack.status('lost', saleId)).status).toBe('paid'));
    await t.fake.mood({ lose: false });
    await t.expectProof(saleId);
  });

  test('a forged, changed or old event pays nothing, and neither does another amount', async () => {
    const { saleId, orderId } = await t.atProvider('forger');
    const payment = (await t.fake.payments()).find(one => one.orderId === orderId);
    const bodyOf = (amount: number) => {
      const object = { id: payment?.id, amount, currency: 'eur', metadata: { order_id: orderId } };
      return JSON.stringify({ id: `evt_${amount}`, type: 'payment_intent.succeeded', data: { object } });
    };
    const body = bodyOf(PRICE);
    const signatures = [
      ['none', ''],
      ['of another body', sign(bodyOf(1))],
      ['old', sign(body, Date.now() - 600_000)],
      ['by a guessed secret', signBody(['guessed'], body, Date.now())],
    ] as const;
    const answers = await Promise.all(signatures.map(async ([name, signature]) => [name, await post(body, signature)]));
    expect(answers).toEqual(signatures.map(([name]) => [name, 400]));
    expect(await post(bodyOf(1), sign(bodyOf(1)))).toBe(200);
    await eventually(async () =>
      expect(await t.ctx.db.paymentEvent.findFirst({ where: { eventId: 'evt_1' } })).toMatchObject({
        outcome: 'mismatch',
      }),
    );
    expect((await t.stack.status('forger', saleId)).status).toBe('pending_payment');
    await t.expectProof(saleId);
    const id = await naiveOrder('n-forged');
    await t.naive.webhook(JSON.stringify({ orderId: id, amount: 1 }));
    const { paid, received } = await t.naive.books('n-forged');
    if (paid === 1) t.lost('forged event', `a unit for ${PRICE} went out for ${received} that nobody paid`);
  });

  const naiveOrder = async (name: string) => {
    await t.naive.addGoods(name, PRICE, 1);
    await t.naive.addUser(name, PRICE);
    return t.naive.order({ userId: name, goodsId: name });
  };
});

// The last test, because it counts the losses of all others in this file.
test('at least three of these attacks harm the naive shop, so the attacks are real', () => {
  const attacks = new Set(t.losses.map(line => line.split(':')[0]));
  expect(attacks.size).toBeGreaterThanOrEqual(3);
});
