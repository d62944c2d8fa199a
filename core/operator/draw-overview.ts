import type { Database } from '../postgres/database.js';
import { type Draw, readDraw } from '../postgres/draws/draws.js';
import { readEntryCounts } from '../postgres/draws/entries.js';
import { readSale } from '../postgres/sales.js';
import type { OpeningKind, Sale } from '../rules/sale.js';
import { type PublishedDraw, publishedOf } from '../steps/line/publish.js';

/**
 * How far a draw is. `joining`: its list may still get entries. `closed`: its list is complete, and its root is computed. `waiting`: the
 * public value has not come. `decided`: the order is known. `dealt`: the units were offered to the first buyers. `ended`: the sale ended
 * before there was an order, so nothing was sold.
 */
export type DrawState = 'joining' | 'closed' | 'waiting' | 'decided' | 'dealt' | 'ended';

/** A draw as the operator sees it. Times are in ISO 8601 and UTC. */
export interface DrawOverview extends PublishedDraw {
  opening: OpeningKind;
  state: DrawState;
  joinsAt: string;
  opensAt: string;
  closesAt: string;
  /** The buyers in Postgres who have joined and have not left. */
  waiting: number;
  /** Those of them whose entries came back by their receipts after the list was closed. */
  late: number;
}

/** Reads a draw from Postgres alone; undefined for a sale with a rush, and for one that does not exist. */
export async function drawOverviewOf(db: Database, saleId: string): Promise<DrawOverview | undefined> {
  const [sale, draw] = [await readSale(db, saleId), await readDraw(db, saleId)];
  if (!sale || !draw) return undefined;
  const { opening, joinsAtMs = sale.opensAtMs, opensAtMs, closesAtMs } = sale;
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    ...publishedOf(draw),
    opening,
    state: stateOf(draw, sale, Date.now()),
    joinsAt: iso(joinsAtMs),
    opensAt: iso(opensAtMs),
    closesAt: iso(closesAtMs),
    ...(await readEntryCounts(db, saleId)),
  };
}

/**
 * Says how far a draw is.
 *
 * @param nowMs the present time in ms since the epoch. A clock that is wrong only changes the word.
 */
export function stateOf(draw: Draw, sale: Pick<Sale, 'state' | 'closesAtMs'>, nowMs: number): DrawState {
  if (draw.isDealt) return 'dealt';
  if (sale.state === 'closed' || nowMs >= sale.closesAtMs) return 'ended';
  if (draw.decided) return 'decided';
  if (draw.list) return draw.valueSource === undefined ? 'closed' : 'waiting';
  return draw.closedAtMs === undefined ? 'joining' : 'closed';
}
