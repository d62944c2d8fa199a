import { expect, test } from '@jest/globals';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { prune } from '#core/maintenance/prune.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { KEEP_DAYS } from '#core/postgres/sales.js';
import { prefixOf } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { applyEvents, askToPay, usePayments } from '../../support/payments.js';
import { backdateReleases } from '../../support/stores/by-hand.js';

const t = usePayments();

const DAY_MS = 24 * 3_600_000;

/** Backdates the end of a sale, and prunes the sale from Redis. */
async function forget(sale: Sale): Promise<void> {
  const closesAt = new Date(Date.now() - (KEEP_DAYS + 1) * DAY_MS);
  await t.db.sale.update({
    where: { id: sale.id },
    data: { opensAt: new Date(closesAt.getTime() - DAY_MS), closesAt },
  });
  await prune(t);
  expect(await t.redis.keys(`${prefixOf(sale.id)}*`)).toEqual([]);
}

const atProvider = async (orderId: string) => (await t.fake.payments()).find(payment => payment.orderId === orderId);

test('late money goes back when Redis has pruned the sale', async () => {
  const { sale, claim } = await askToPay(t, 'late');
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await forget(sale);
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await finishPayments(t);
  expect(await atProvider(claim.claimId)).toMatchObject({ status: 'refunded', returned: 1 });
  const order = await t.db.order.findUniqueOrThrow({ where: { id: claim.claimId } });
  expect(order).toMatchObject({ status: 'cancelled', reason: 'refunded_late_payment' });
});

test('a refund after Redis has pruned the sale leaves no undelivered release', async () => {
  const { sale, claim } = await askToPay(t, 'returns');
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await forget(sale);
  expect(await refundOrder(t, { orderId: claim.claimId, restock: true })).toMatchObject({
    kind: 'refunded',
    now: true,
  });
  await backdateReleases(t, sale.id, 60);
  await deliverEvents(t);
  await finishPayments(t);
  expect(await atProvider(claim.claimId)).toMatchObject({ status: 'refunded' });
  await prune(t);
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id, deliveredAt: null } })).toBe(0);
});
