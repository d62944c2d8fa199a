import type { IncomingMessage } from 'node:http';
import { SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import type { ApiContext } from '../context.js';
import { redisNowMs } from '../mirror/sales.js';
import type { Waiter } from './waiter.js';

/** What to wait for. */
export interface Wait {
  saleId: string;
  buyerId: string;
  waitSeconds: number;
  /** Tells where the buyer stands now. */
  look(): Promise<OrderAnswer>;
  /** Tells whether where the buyer stands at first is news for the client already. */
  isNews(answer: OrderAnswer): boolean;
}

/**
 * @param ctx the API's parts
 * @param req whose client waits; when it goes away, nobody waits any more
 * @param saleId the sale
 * @param buyerId the buyer
 * @returns a waiter, to be left in the end
 * @throws Problem too_many_requests when too many wait already, and unknown_sale; what Redis is away with
 */
export async function waitFor(ctx: ApiContext, req: IncomingMessage, saleId: string, buyerId: string): Promise<Waiter> {
  const sale = await ctx.sales.find(saleId);
  const waiter = ctx.waiters.open(saleId, buyerId, sale.closesAtMs - redisNowMs(sale));
  if (!waiter)
    throw new Problem('too_many_requests', { retryAfterSeconds: 1, detail: 'too many wait for news already' });
  req.socket.once('close', waiter.leave);
  return {
    next: waiter.next,
    leave() {
      req.socket.off('close', waiter.leave);
      waiter.leave();
    },
  };
}

/**
 * Waits until a buyer stands elsewhere than before, but not longer than wanted. Whether that has happened is always read, never
 * taken from a message: messages only say when to look.
 *
 * @param ctx the API's parts
 * @param req whose client waits
 * @param wait what for
 * @returns where the buyer stands; at once if that can't change by itself
 * @throws as {@link waitFor}, and what looking throws
 */
export async function untilNews(ctx: ApiContext, req: IncomingMessage, wait: Wait): Promise<OrderAnswer> {
  const endsAtMs = performance.now() + wait.waitSeconds * SECOND_MS;
  // First in line for news, then looking: nothing falls between.
  const waiter = await waitFor(ctx, req, wait.saleId, wait.buyerId);
  try {
    const from = await wait.look();
    if (wait.isNews(from)) return from;
    let now = from;
    while (mayChange(now) && !hasMoved(from, now) && (await waiter.next(endsAtMs - performance.now())) === 'news') {
      now = await wait.look();
    }
    return now;
  } finally {
    waiter.leave();
  }
}

/**
 * @param answer where a buyer stands
 * @returns whether there is anything to wait for
 */
export function mayChange(answer: OrderAnswer): boolean {
  return answer.pollAfterMs !== undefined;
}

/** A place further ahead in the line is no news; a payment that was refused is. */
function hasMoved(before: OrderAnswer, now: OrderAnswer): boolean {
  return before.status !== now.status || before.claimId !== now.claimId || before.reason !== now.reason;
}
