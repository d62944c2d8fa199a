import { readSale, type SaleUpdate, updateSale } from '../postgres/sales.js';
import { storeFailed } from '../process/telemetry.js';
import { isRedisPassing } from '../redis/connection.js';
import { carryOver } from '../redis/sale/sale.js';
import { type Sale, UNITS_MAX } from '../rules/sale.js';
import type { StepContext } from '../steps/context.js';
import { promoteWaiting } from '../steps/release-units.js';

/** A sale after an operator has paused, resumed, closed or restocked it. */
export interface ChangedSale {
  sale: Sale;
  /** The number of buyers on standby who got a unit through this change. */
  promoted: number;
  /**
   * False when the change is only in Postgres: reconcile copies it to Redis later. Until then, a sale that is not
   * loaded or not verified gives out nothing.
   */
  inRedis: boolean;
}

/**
 * The outcome of pausing, resuming, closing or restocking a sale. `closed`: the sale is closed already.
 * `changed_meanwhile`: another operator changed the sale first. `too_many_units`: the restock exceeds the limit of
 * units.
 */
export type ChangeOutcome =
  | ({ kind: 'changed' } & ChangedSale)
  | { kind: 'unknown_sale' }
  | { kind: 'closed' }
  | { kind: 'changed_meanwhile' }
  | { kind: 'too_many_units'; units: number };

/**
 * Pauses, resumes, closes or restocks a sale: first in Postgres, which decides, then in Redis. Buyers on standby then
 * get the free units. Pause, resume and close are idempotent. A restock adds its units each time, unless it names the
 * sale's generation, which counts the operator's changes.
 *
 * @throws Postgres's error: the change may or may not have been made
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
