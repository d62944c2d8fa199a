import { setTimeout } from 'node:timers/promises';
import { type Difference, describe, unitsOf } from './compare.js';
import { compareBuyers, type Look, lookAt, type Stores, wrongUnitsAtOnce } from './look.js';

/**
 * Pause between two comparisons of a sale, in ms. A claim or release that was in flight at the first has arrived by the
 * second.
 */
const SECOND_LOOK_MS = 500;

/**
 * The most claims and free units of a sale whose units are read at one instant, some 30 ms of Redis. A unit that changes hands while a
 * sale is read by pages is seen twice or not at all, and in a rush some do so in every look.
 */
const AT_ONCE_MAX = 50_000;

/** The looks that must find a unit of a larger sale wrong. */
const LOOKS_AT_UNITS = 3;

/**
 * Lists the differences that later comparisons of a sale find again. Redis and Postgres cannot be read at one instant, so a difference
 * found only once may be in flight.
 *
 * @param first a look at the sale while its scripts were at work
 */
export async function lastingDifferences(stores: Stores, saleId: string, first: Look): Promise<Difference[]> {
  if (first.differences.length === 0) return [];
  await setTimeout(SECOND_LOOK_MS);
  const buyerIds = first.differences.flatMap(difference => buyerOf(difference) ?? []);
  const sale = { id: saleId, unpaidLimit: first.facts.unpaidLimit };
  const before = new Set(first.differences.map(describe));
  const again = (await compareBuyers(stores, sale, [...new Set(buyerIds)])).filter(one => before.has(describe(one)));
  const units = await lastingUnits(stores, saleId, first);
  return units.length > 0 ? [...again, { kind: 'units_wrong', units }] : again;
}

async function lastingUnits(stores: Stores, saleId: string, first: Look): Promise<number[]> {
  let units = wrongUnits(first);
  const isSmall = first.facts.claims + first.facts.free <= AT_ONCE_MAX;
  for (let looks = 1; looks < LOOKS_AT_UNITS && units.length > 0; looks += 1) {
    if (looks > 1) await setTimeout(SECOND_LOOK_MS);
    const look = await lookAt(stores, saleId);
    if (!look) return units;
    const wrong = isSmall ? await wrongUnitsAtOnce(stores, saleId, look.facts.units) : wrongUnits(look);
    const again = new Set([...look.mismatched, ...wrong]);
    units = units.filter(unit => again.has(unit));
    if (isSmall) return units;
  }
  return units;
}

const wrongUnits = ({ differences }: Look): number[] => differences.flatMap(unitsOf);

function buyerOf(difference: Difference): string | undefined {
  if (difference.kind === 'units_wrong') return undefined;
  return difference.kind === 'outbox_missing' ? difference.buyerId : difference.order.buyerId;
}
