import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { expireOverdue } from '#core/maintenance/expire-overdue.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { Pace } from '#core/maintenance/pace.js';
import { prune } from '#core/maintenance/prune.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { RESCUE_AFTER_MS, rescueAll } from '#core/maintenance/rescue.js';
import { tellShop } from '#core/maintenance/tell-shop.js';
import { ActorLock } from '#core/postgres/actor-lock.js';
import { wantNotices } from '#core/postgres/deliveries/shop-webhook.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { KEEP_DAYS } from '#core/postgres/sales.js';
import { keysOf } from '#core/redis/keys.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import type { StepContext } from '#core/steps/context.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { eventually } from '../../support/eventually.js';
import { SHOP_SECRET, startShop, type TestShop } from '../../support/http/shop.js';
import { applyEvents, askToPay, usePayments } from '../../support/payments.js';
import { freezeAt } from '../../support/postgres/frozen.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines, backdateReleases, loseClaim } from '../../support/stores/by-hand.js';

// The holder of an actor's lease stands still in the middle of its round, for longer than the lease. Another process does the work.
// Then the first one resumes, and does the rest of its round on what is there no more.

const t = usePayments();
let shop: TestShop;
beforeAll(async () => {
  shop = await startShop();
  t.shop = { url: shop.url, secret: SHOP_SECRET };
  await wantNotices(t.db);
});
afterAll(() => {
  shop.server.close();
});

const DAY_MS = 24 * 3_600_000;
let number = 0;

interface Work {
  sale: Sale;
  claim: Claim;
}

/** A sale of one unit with a placed order. */
async function placed(): Promise<Work> {
  number += 1;
  const sale = await openTestSale(t, { units: 1 });
  const claim = await winOne(t, sale, `buyer-${number}`);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  return { sale, claim };
}

const statusOf = async ({ claim }: Work) => (await t.db.order.findUnique({ where: { id: claim.claimId } }))?.status;
const stockOf = async ({ sale }: Work) => (await readSnapshot(t.redis, sale.id))?.stock;
const paymentOf = ({ claim }: Work) => t.db.payment.findFirst({ where: { orderId: claim.claimId } });

/** An actor, work for it, and the facts once the work is done. */
interface Scenario {
  actor: string;
  runOnce(ctx: StepContext): Promise<unknown>;
  prepare(): Promise<Work>;
  check(work: Work): Promise<void>;
}

const SCENARIOS: Scenario[] = [
  {
    actor: 'rescue',
    runOnce: rescueAll,
    async prepare() {
      const sale = await openTestSale(t, { units: 1 });
      const claim = await winOne(t, sale, 'left-behind');
      await t.redis.zincrby(keysOf(sale.id).outbox, -2 * RESCUE_AFTER_MS, claim.buyerId);
      return { sale, claim };
    },
    check: async work => expect(await statusOf(work)).toBe('pending_payment'),
  },
  {
    actor: 'expire-overdue',
    runOnce: expireOverdue,
    async prepare() {
      const work = await placed();
      await backdateDeadlines(t, [work.claim]);
      return work;
    },
    check: async work => expect([await statusOf(work), await stockOf(work)]).toEqual(['cancelled', [1]]),
  },
  {
    actor: 'deliver-events',
    runOnce: deliverEvents,
    async prepare() {
      const work = await placed();
      await cancelRow(t.db, work.sale.id, work.claim);
      await backdateReleases(t, work.sale.id, 2);
      return work;
    },
    check: async work => expect([await statusOf(work), await stockOf(work)]).toEqual(['cancelled', [1]]),
  },
  {
    actor: 'reconcile',
    runOnce: ctx => reconcileAll(ctx, new Pace()),
    async prepare() {
      const work = await placed();
      await loseClaim(t, work.sale.id, work.claim);
      return work;
    },
    check: async work => expect([await statusOf(work), await stockOf(work)]).toEqual(['pending_payment', []]),
  },
  {
    actor: 'ask-providers',
    runOnce: askProviders,
    async prepare() {
      number += 1;
      const work = await askToPay(t, `asked-${number}`);
      await t.fake.pay(work.claim.claimId);
      await t.db.payment.updateMany({ where: { orderId: work.claim.claimId }, data: { askAt: new Date(0) } });
      return work;
    },
    check: async work => expect([await statusOf(work), (await paymentOf(work))?.status]).toEqual(['paid', 'paid']),
  },
  {
    actor: 'finish-payments',
    runOnce: finishPayments,
    async prepare() {
      number += 1;
      const work = await askToPay(t, `late-${number}`, { lateMoney: 'refund' });
      await cancelOrder(t, { saleId: work.sale.id, ...work.claim });
      await t.fake.pay(work.claim.claimId);
      await applyEvents(t, work.claim);
      await t.db.payment.updateMany({ where: { orderId: work.claim.claimId }, data: { refundAt: new Date(0) } });
      return work;
    },
    check: async work => {
      expect([await statusOf(work), (await paymentOf(work))?.status]).toEqual(['cancelled', 'refunded']);
    },
  },
  {
    actor: 'tell-shop',
    runOnce: tellShop,
    prepare: placed,
    check: async ({ claim }) => {
      const told = shop.received.filter(({ data }) => data.orderId === claim.claimId);
      expect([...new Set(told.map(({ type }) => type))]).toEqual(['order.placed']);
      expect([...new Set(told.map(({ id }) => id))]).toHaveLength(1);
    },
  },
  {
    actor: 'prune',
    runOnce: prune,
    async prepare() {
      const work = await placed();
      await cancelOrder(t, { saleId: work.sale.id, ...work.claim });
      const at = {
        opensAt: new Date(Date.now() - 99 * DAY_MS),
        closesAt: new Date(Date.now() - (KEEP_DAYS + 9) * DAY_MS),
      };
      await t.db.sale.update({ where: { id: work.sale.id }, data: at });
      await t.redis.hset(keysOf(work.sale.id).sale, 'closesAt', at.closesAt.getTime());
      return work;
    },
    check: async work => expect(await statusOf(work)).toBe('cancelled'),
  },
];

describe.each(SCENARIOS)('$actor', ({ actor, runOnce, prepare, check }) => {
  test.each([1, 2, 3])('a holder that stands still at call %i of its round does no harm', async nth => {
    const work = await prepare();
    const frozen = freezeAt(t.db, nth);
    const stale = new ActorLock(t.db, 50).hold(actor, async () => {
      await runOnce({ ...t, db: frozen.db });
    });
    await Promise.race([frozen.reached, stale]);
    const next = new ActorLock(t.db);
    await eventually(async () => {
      const ran = await next.hold(actor, async () => {
        await runOnce(t);
      });
      expect(ran).toBe(true);
    });
    frozen.resume();
    expect(await stale).toBe(true);
    await check(work);
    if (actor !== 'prune') expect((await audit(t.db, t.redis, work.sale.id))?.violations).toEqual([]);
  });
});
