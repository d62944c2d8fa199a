import { changeSale } from '#core/operator/change-sale.js';
import type { StepContext } from '#core/steps/context.js';
import { untilAtRest } from './reckoning.js';

/** How long one look waits for a sale to be at rest, while all unfinished buyers are on standby. */
const GLANCE_MS = 300;

/** Closes a sale if it is at rest: no unit can come back then. That ends the wait of the buyers on standby. */
export async function closeAtRest(connections: StepContext, saleId: string): Promise<void> {
  const left = await untilAtRest(connections, saleId, GLANCE_MS);
  if (left.length === 0) await changeSale(connections, saleId, { state: 'closed' });
}
