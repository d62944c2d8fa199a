import { readSale, type SaleUpdate, updateSale } from '../postgres/sales.js';
import { storeFailed } from '../process/telemetry.js';
import { isRedisPassing } from '../redis/connection.js';
import { carryOver } from '../redis/sale/sale.js';
import { type Sale, UNITS_MAX } from '../rules/sale.js';
import type { StepContext } from '../steps/context.js';
import { promoteWaiting } from '../steps/release-units.js';

/** A sale as an operator's change left it. */
export interface ChangedSale {
  sale: Sale;
  /** Buyers who got a unit from standby. */
  promoted: number;
  /**
   * False when Redis could not be told: reconcile tells it when it can; until then a sale that Redis can't be believed about
   * gives out nothing.
   */
  inRedis: boolean;
}

/** What came of an operator's change. */
export type ChangeOutcome =
  | ({ kind: 'changed' } & ChangedSale)
  | { kind: 'unknown_sale' }
  | { kind: 'closed' }
  | { kind: 'changed_meanwhile' }
  | { kind: 'too_many_units'; units: number };

/**
 * Pauses, resumes, closes or restocks a sale: in Postgres first, where it counts, then in Redis. Buyers on standby get the
 * units that can be given out now. Repeating a pause, a resume or a close is harmless; a restock adds its units each time,
 * unless it says to which generation of the sale.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @param update what changes
 * @returns what came of it; a closed sale stays closed
 * @throws what Postgres throws: then whether it changed is unknown
 */
export async function changeSale(ctx: StepContext, saleId: string, update: SaleUpdate): Promise<ChangeOutcome> {
  const before = await readSale(ctx.db, saleId);
  if (!before) return { kind: 'unknown_sale' };
  if ('addUnits' in update && before.units + update.addUnits > UNITS_MAX) {
    return { kind: 'too_many_units', units: before.units };
  }
  const isChanged = await updateSale(ctx.db, saleId, update);
  const sale = await readSale(ctx.db, saleId);
  if (!sale) return { kind: 'unknown_sale' };
  const closing = 'state' in update && update.state === 'closed';
  if (sale.state === 'closed' && !closing) return { kind: 'closed' };
  if (!isChanged && !closing) return { kind: 'changed_meanwhile' };
  try {
    const inRedis = await carryOver(ctx.redis, sale);
    const promoted = inRedis ? (await promoteWaiting(ctx, saleId)).length : 0;
    return { kind: 'changed', sale, promoted, inRedis };
  } catch (error) {
    if (!isRedisPassing(error)) throw error;
    storeFailed('redis', error);
    return { kind: 'changed', sale, promoted: 0, inRedis: false };
  }
}
