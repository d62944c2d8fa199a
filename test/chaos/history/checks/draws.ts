import { groupBy } from '../claim-view.js';
import {
  commitmentOf,
  type DrawFacts,
  type DrawRead,
  entriesIn,
  LATE_FROM,
  lotsOf,
  publishedIdOf,
  rootOfList,
} from '../draw-facts.js';
import type { Evidence, Violation } from '../evidence.js';
import type { Operation } from '../history.js';

/**
 * Checks the draws of a run.
 *
 * @returns entries that were lost, orders that changed or that are not those of the lots, and buyers who stand before others that have an
 *   earlier turn
 */
export function checkDraws({ operations, orders, draws = [], drawReads = [] }: Evidence): Violation[] {
  const reads = groupBy(drawReads, ({ saleId }) => saleId);
  const calls = groupBy(operations, ({ saleId }) => saleId);
  const sold = groupBy(orders, ({ saleId }) => saleId);
  return draws.flatMap(draw => {
    const ofSale = calls.get(draw.saleId) ?? [];
    const winners = new Set((sold.get(draw.saleId) ?? []).map(({ buyerId }) => buyerId));
    return [
      ...unfinished(draw),
      ...changed(draw, reads.get(draw.saleId) ?? []),
      ...(reads.get(draw.saleId) ?? []).flatMap(read => misplaced(draw, read.isOrdered ? read.standby : [])),
      ...misplaced(draw, draw.standby),
      ...unlisted(draw),
      ...forgotten(draw, ofSale, winners),
      ...overtaken(draw, ofSale, winners),
    ].map(({ rule, text }) => ({ rule, text: `${draw.saleId}: ${text}` }));
  });
}

function unfinished({ isDealt, root }: DrawFacts): Violation[] {
  return isDealt && root !== '' ? [] : [{ rule: 'one_order', text: 'the draw came to no end' }];
}

/** Reports facts that were told and are others in the end: a second order. */
function changed(draw: DrawFacts, reads: readonly DrawRead[]): Violation[] {
  const { root, seed, value } = draw;
  const entries = draw.entries.filter(({ isIn }) => isIn).length;
  const last: Record<string, unknown> = { commitment: commitmentOf(seed), root, seed, value, entries };
  const told = reads.flatMap(({ published }) => Object.entries(published));
  const others = new Set(told.filter(([name, fact]) => last[name] !== fact).map(([name]) => name));
  return [...others].map(name => ({ rule: 'one_order', text: `another ${name} was told than the one that decided` }));
}

/** Reports tickets of a line that are not those of the lots. A restored entry is behind until a worker has moved it. */
function misplaced(draw: DrawFacts, standby: DrawFacts['standby']): Violation[] {
  const lotOf = lotsOf(draw);
  const entrants = new Set(draw.entries.map(({ buyerId }) => buyerId));
  return standby.flatMap(([buyerId, ticket]): Violation[] => {
    if (ticket >= LATE_FROM) return [];
    if (!entrants.has(buyerId)) return [{ rule: 'late_stand_behind', text: `${buyerId} has no entry` }];
    if (ticket === lotOf(buyerId)) return [];
    return [{ rule: 'lots_decide', text: `${buyerId} has ticket ${ticket}, and lot ${lotOf(buyerId)}` }];
  });
}

/** Reports a published list that is not the one of the root, or lacks an entry. */
function unlisted(draw: DrawFacts): Violation[] {
  const root = rootOfList(draw.list);
  const listed = entriesIn(draw.list).map(entry => entry.toString('hex'));
  const known = draw.entries
    .filter(({ isIn }) => isIn)
    .map(
      ({ number, buyerId }) =>
        `${number.toString(16).padStart(16, '0')}${publishedIdOf(draw, buyerId).toString('hex')}`,
    );
  const isSame = listed.length === known.length && known.every(entry => listed.includes(entry));
  return root === draw.root && isSame
    ? []
    : [{ rule: 'one_order', text: `the list of ${listed.length} entries is not the one of the root` }];
}

/** Returns the buyers who may have left the line by themselves. */
function leaversIn(operations: readonly Operation[]): Set<string> {
  return new Set(
    operations.filter(({ call, outcome }) => call === 'cancel' && outcome !== 'fail').map(({ buyerId }) => buyerId),
  );
}

/** Reports a buyer with a receipt who has nothing in the end, or stands behind the lots. */
function forgotten(draw: DrawFacts, operations: readonly Operation[], winners: ReadonlySet<string>): Violation[] {
  const leavers = leaversIn(operations);
  const tickets = new Map(draw.standby);
  const holders = new Set(operations.filter(({ entry }) => entry !== undefined).map(({ buyerId }) => buyerId));
  return [...holders].flatMap(buyerId => {
    if (leavers.has(buyerId) || winners.has(buyerId) || draw.claimants.includes(buyerId)) return [];
    const ticket = tickets.get(buyerId);
    if (ticket === undefined) return [{ rule: 'entry_is_kept' as const, text: `the entry of ${buyerId} is lost` }];
    if (ticket < LATE_FROM) return [];
    return [{ rule: 'entry_is_kept' as const, text: `${buyerId} has an entry, and stands behind the entries` }];
  });
}

/** Reports a buyer who won although somebody with a smaller lot was waiting all the time, and still is. */
function overtaken(draw: DrawFacts, operations: readonly Operation[], winners: ReadonlySet<string>): Violation[] {
  const leavers = leaversIn(operations);
  const lotOf = lotsOf(draw);
  const entrants = new Set(draw.entries.map(({ buyerId }) => buyerId));
  const listed = new Set(draw.entries.filter(({ isIn }) => isIn).map(({ buyerId }) => buyerId));
  const first = draw.standby.find(([buyerId]) => listed.has(buyerId) && !leavers.has(buyerId));
  if (!first) return [];
  const rankOf = (buyerId: string) => (entrants.has(buyerId) ? lotOf(buyerId) : LATE_FROM);
  const before = [...winners].filter(buyerId => rankOf(buyerId) > first[1]);
  return before.map(buyerId => ({
    rule: entrants.has(buyerId) ? ('lots_decide' as const) : ('late_stand_behind' as const),
    text: `${buyerId} won before ${first[0]}, whose turn was earlier`,
  }));
}
