import type { StepContext } from '../steps/context.js';
import { expireOrders } from '../steps/expire-orders.js';

/**
 * Cancels every order whose deadline has passed. Normally the delayed job of each batch is faster. This actor is the
 * guarantee, as `pay_by` in Postgres survives the loss of a queue.
 *
 * @returns the number of orders cancelled
 */
export function expireOverdue(ctx: StepContext): Promise<number> {
  return expireOrders(ctx);
}
