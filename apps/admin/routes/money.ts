import type { Express } from 'express';
import { z } from 'zod';
import { refundOrder } from '#core/operator/refund-order.js';
import { readDeadNotices, reviveNotices } from '#core/postgres/deliveries/dead-notices.js';
import { readOddPayments } from '#core/postgres/money/odd-payments.js';
import { readStatement } from '#core/postgres/money/statement.js';
import { readBalances } from '#core/postgres/money/wallet.js';
import { readBuyerOrders } from '#core/postgres/orders/buyer-orders.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { Problem } from '#core/rules/errors.js';
import type { AdminContext } from '../context.js';
import { timely } from '../deadline.js';
import { buyerPage } from '../pages/buyer-page.js';
import { moneyPage } from '../pages/money-page.js';
import { wantsHtml } from '../problem.js';

/** What a page shows at most; the rest is a matter for `npm run cli -- statement` and for SQL. */
const LISTED_MAX = 100;

const refundBody = z.object({ restock: z.enum(['yes', 'no']) });
const retryBody = z.object({ id: z.coerce.bigint().optional() });

/**
 * Money for operators: a buyer's wallet and orders, refunds, and what doesn't go as it should.
 *
 * @param app gets `/money`, `/buyers/:buyerId`, `/orders/:orderId/refund` and `/webhooks/retry`
 * @param ctx the stores
 */
export function addMoney(app: Express, ctx: AdminContext): void {
  app.get(
    '/money',
    timely(async (req, res) => {
      const [dead, odd] = await Promise.all([readDeadNotices(ctx.db, LISTED_MAX), readOddPayments(ctx.db, LISTED_MAX)]);
      if (wantsHtml(req)) return void res.type('html').send(moneyPage(dead, odd).text);
      res.json({ dead: dead.map(event => ({ ...event, id: String(event.id) })), odd });
    }),
  );
  app.get('/buyers', (req, res) =>
    res.redirect(303, `/buyers/${encodeURIComponent(String(req.query.id ?? '').trim())}`),
  );
  app.get(
    '/buyers/:buyerId',
    timely<{ buyerId: string }>(async (req, res) => {
      const { buyerId } = req.params;
      if (!ID_PATTERN.test(buyerId)) throw new Problem('invalid_request', { detail: 'no buyer has an id like this' });
      const [balances, statement, orders] = await Promise.all([
        readBalances(ctx.db, buyerId),
        readStatement(ctx.db, buyerId, LISTED_MAX),
        readBuyerOrders(ctx.db, buyerId, LISTED_MAX),
      ]);
      const buyer = { buyerId, balances, statement, orders };
      if (wantsHtml(req)) res.type('html').send(buyerPage(buyer).text);
      else res.json(buyer);
    }),
  );
  app.post(
    '/orders/:orderId/refund',
    timely<{ orderId: string }>(async (req, res) => {
      const body = refundBody.safeParse(req.body);
      if (!body.success) throw new Problem('invalid_request', { detail: 'restock must be yes or no' });
      const { orderId } = req.params;
      if (!z.uuid().safeParse(orderId).success)
        throw new Problem('not_found', { detail: 'no order has an id like this' });
      const result = await refundOrder(ctx, { orderId, restock: body.data.restock === 'yes' });
      if (result.kind === 'unknown_order') throw new Problem('not_found', { detail: 'there is no such order' });
      if (result.kind === 'not_paid') {
        throw new Problem('not_refundable', { detail: `the order is ${result.order.status}` });
      }
      ctx.log.info({ orderId, restock: body.data.restock, now: result.now }, 'order refunded by an operator');
      if (wantsHtml(req)) res.redirect(303, `/buyers/${result.order.buyerId}`);
      else res.json({ order: orderId, status: 'refunded', now: result.now });
    }),
  );
  app.post(
    '/webhooks/retry',
    timely(async (req, res) => {
      const body = retryBody.safeParse(req.body ?? {});
      if (!body.success) throw new Problem('invalid_request', { detail: 'id must be the number of an event' });
      const revived = await reviveNotices(ctx.db, body.data.id);
      ctx.log.info({ revived }, 'webhooks revived by an operator');
      if (wantsHtml(req)) res.redirect(303, '/money');
      else res.json({ revived });
    }),
  );
}
