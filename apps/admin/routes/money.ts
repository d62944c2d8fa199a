import type { Express, Request, Response } from 'express';
import { z } from 'zod';
import { namedBuyerId } from '#core/identity/buyer-id.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { readDeadNotices, reviveNotices } from '#core/postgres/deliveries/dead-notices.js';
import { readOddPayments } from '#core/postgres/money/odd-payments.js';
import type { PartialRefund } from '#core/postgres/money/refund.js';
import { readStatement } from '#core/postgres/money/statement.js';
import { readBalances } from '#core/postgres/money/wallet.js';
import { readBuyerOrders } from '#core/postgres/orders/buyer-orders.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { Problem } from '#core/rules/errors.js';
import { AMOUNT_MINOR_MAX } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { wholeNumber } from '#core/values/number.js';
import { callerOf, hasRole } from '../http/caller.js';
import { timely } from '../http/deadline.js';
import { wantsHtml } from '../http/problem.js';
import { buyerPage } from '../pages/buyer-page.js';
import { moneyPage } from '../pages/money-page.js';

/** The most entries of each list on a page about money. `npm run cli -- statement` and SQL show the rest. */
const LISTED_MAX = 100;

type OneBuyer = { buyerId: string };
type OneOrder = { orderId: string };

const refundBody = z.union([
  z.object({ restock: z.enum(['yes', 'no']) }),
  z.object({
    amountMinor: wholeNumber({ min: 1, max: AMOUNT_MINOR_MAX }),
    refundedMinor: wholeNumber({ min: 0, max: AMOUNT_MINOR_MAX }),
  }),
]);
const retryBody = z.object({ id: wholeNumber({ min: 1, max: Number.MAX_SAFE_INTEGER }).transform(BigInt).optional() });

/**
 * Adds the operators' pages about money: a buyer's wallet and orders, refunds, and payments and webhooks that need a
 * person. Programs get JSON at the same addresses.
 */
export function addMoney(app: Express, ctx: StepContext): void {
  app.get(
    '/money',
    timely((req, res) => showMoney(ctx, req, res)),
  );
  app.get('/buyers', (req, res) => {
    const text = String(req.query.id ?? '').trim();
    res.redirect(303, `/buyers/${encodeURIComponent(namedBuyerId(text) ?? text)}`);
  });
  app.get(
    '/buyers/:buyerId',
    timely<OneBuyer>((req, res) => showBuyer(ctx, req, res)),
  );
  app.post(
    '/orders/:orderId/refund',
    timely<OneOrder>((req, res) => refund(ctx, req, res)),
  );
  app.post(
    '/webhooks/retry',
    timely((req, res) => retryWebhooks(ctx, req, res)),
  );
}

async function showMoney({ db }: StepContext, req: Request, res: Response): Promise<void> {
  const [dead, odd] = await Promise.all([readDeadNotices(db, LISTED_MAX), readOddPayments(db, LISTED_MAX)]);
  if (wantsHtml(req)) res.type('html').send(moneyPage(dead, odd, viewOf(res)).text);
  else res.json({ dead: dead.map(notice => ({ ...notice, id: String(notice.id) })), odd });
}

/** Returns what the pages about money show to this operator. */
function viewOf(res: Response): { mayChange: boolean } {
  return { mayChange: hasRole(res, 'money') };
}

async function showBuyer({ db }: StepContext, req: Request<OneBuyer>, res: Response): Promise<void> {
  const { buyerId } = req.params;
  if (!ID_PATTERN.test(buyerId)) throw new Problem('invalid_request', { detail: 'no buyer has an id like this' });
  const [balances, statement, orders] = await Promise.all([
    readBalances(db, buyerId),
    readStatement(db, buyerId, LISTED_MAX),
    readBuyerOrders(db, buyerId, LISTED_MAX),
  ]);
  const buyer = { buyerId, balances, statement, orders };
  if (wantsHtml(req)) res.type('html').send(buyerPage(buyer, viewOf(res)).text);
  else res.json(buyer);
}

async function refund(ctx: StepContext, req: Request<OneOrder>, res: Response): Promise<void> {
  const body = refundBody.safeParse(req.body);
  if (!body.success) {
    const detail = 'restock must be yes or no; for a part, amountMinor and refundedMinor must be whole numbers';
    throw new Problem('invalid_request', { detail });
  }
  const { orderId } = req.params;
  if (!z.uuid().safeParse(orderId).success) throw new Problem('not_found', { detail: 'no order has an id like this' });
  if ('amountMinor' in body.data) return refundPartially(ctx, res, { orderId, ...body.data }, wantsHtml(req));
  const result = await refundOrder(ctx, { orderId, restock: body.data.restock === 'yes' });
  if (result.kind === 'unknown_order') throw new Problem('not_found', { detail: 'there is no such order' });
  if (result.kind === 'not_paid')
    throw new Problem('not_refundable', { detail: `the order is ${result.order.status}` });
  const facts = { ...callerOf(res), orderId, restock: body.data.restock, now: result.now };
  ctx.log.info(facts, 'order refunded by an operator');
  if (wantsHtml(req)) res.redirect(303, `/buyers/${result.order.buyerId}`);
  else res.json({ order: orderId, status: 'refunded', now: result.now });
}

/** Gives a part of an order's money back. A request that is repeated names an old total, and gives back nothing. */
async function refundPartially(ctx: StepContext, res: Response, part: PartialRefund, asHtml: boolean): Promise<void> {
  const result = await refundOrderPartially(ctx, part);
  if (result.kind === 'unknown_order') throw new Problem('not_found', { detail: 'there is no such order' });
  if (result.kind === 'not_paid')
    throw new Problem('not_refundable', { detail: `the order is ${result.order.status}` });
  if (result.kind === 'too_much')
    throw new Problem('not_refundable', { detail: `only ${result.restMinor} is left, and a part is less than that` });
  if (result.kind === 'changed_meanwhile')
    throw new Problem('not_refundable', { detail: `${result.refundedMinor} went back already: look again` });
  ctx.log.info({ ...callerOf(res), ...part }, 'a part of an order refunded by an operator');
  if (asHtml) res.redirect(303, `/buyers/${result.order.buyerId}`);
  else res.json({ order: part.orderId, status: 'paid', refundedMinor: result.refundedMinor });
}

async function retryWebhooks(ctx: StepContext, req: Request, res: Response): Promise<void> {
  const body = retryBody.safeParse(req.body ?? {});
  if (!body.success) throw new Problem('invalid_request', { detail: 'id must be the number of a webhook' });
  const revived = await reviveNotices(ctx.db, body.data.id);
  ctx.log.info({ ...callerOf(res), revived }, 'webhooks revived by an operator');
  if (wantsHtml(req)) res.redirect(303, '/money');
  else res.json({ revived });
}
