import type { StepContext } from '../steps/context.js';
import { expireOrders } from '../steps/expire-orders.js';

/**
 * Cancels every order whose payment deadline has passed. Normally the delayed job expire-orders is faster. This actor,
 * a task that a worker repeats, works even if the queue was lost: it reads `pay_by` in Postgres.
 *
 * @returns the number of orders cancelled
 */
export function expireOverdue(ctx: StepContext): Promise<number> {
  return expireOrders(ctx);
}
