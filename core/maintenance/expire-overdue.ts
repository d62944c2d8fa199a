import type { StepContext } from '../steps/context.js';
import { expireOrders } from '../steps/expire-orders.js';

/**
 * Cancels every order whose deadline has passed. The delayed job of each batch comes first when all is well; this is the
 * guarantee, as `pay_by` in Postgres survives what a queue doesn't.
 *
 * @param ctx the stores
 * @returns how many orders were cancelled
 */
export function expireOverdue(ctx: StepContext): Promise<number> {
  return expireOrders(ctx);
}
