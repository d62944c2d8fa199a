import type { Database } from '../postgres/database.js';
import { type DrawnValue, decideDraw, readDraw } from '../postgres/draws/draws.js';
import { readSale } from '../postgres/sales.js';

/**
 * The outcome of an operator's public value. `decided`: it decides the order, and a worker offers the units. `no_draw`: there is no such
 * sale, or it opens with a rush. `no_source`: the draw uses no public value. `no_substitute`: no substitute was named when the sale was
 * created. `not_beacon`: the value has not the form of the beacon's. `ended`: the sale is over. `not_closed`: the list may still get
 * entries. `decided_before`: another value decided.
 */
export type DecideOutcome =
  | { kind: 'decided'; source: string; entries: number }
  | { kind: 'decided_before'; value: string }
  | { kind: 'no_draw' | 'no_source' | 'no_substitute' | 'not_beacon' | 'ended' | 'not_closed' };

/** The form of the value of a beacon's round. */
const RANDOMNESS = /^[0-9a-f]{64}$/;

/**
 * Decides the order of a draw by its public value, which an operator has looked up. The first value counts, and there is never another
 * one.
 *
 * @throws Postgres's error: the draw may or may not be decided
 */
export async function decideByHand(db: Database, saleId: string, drawn: DrawnValue): Promise<DecideOutcome> {
  const [sale, draw] = [await readSale(db, saleId), await readDraw(db, saleId)];
  if (!sale || !draw) return { kind: 'no_draw' };
  if (draw.decided) return { kind: 'decided_before', value: draw.decided.value };
  const source = drawn.isSubstitute ? draw.valueSubstitute : draw.valueSource;
  if (draw.valueSource === undefined) return { kind: 'no_source' };
  if (source === undefined) return { kind: 'no_substitute' };
  if (draw.beaconRound !== undefined && !drawn.isSubstitute && !RANDOMNESS.test(drawn.value)) {
    return { kind: 'not_beacon' };
  }
  if (sale.state === 'closed' || Date.now() >= sale.closesAtMs) return { kind: 'ended' };
  if (!draw.list) return { kind: 'not_closed' };
  if (await decideDraw(db, saleId, drawn)) return { kind: 'decided', source, entries: draw.list.entries };
  return { kind: 'decided_before', value: (await readDraw(db, saleId))?.decided?.value ?? '' };
}
