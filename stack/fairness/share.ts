import { OPENINGS, type OpeningKind } from '#core/rules/sale.js';
import type { Visitors } from './arrivals.js';

/** The units that were sold with one opening, and those that people got. */
export interface Units {
  units: number;
  peopleUnits: number;
}

/** The units by opening. An opening that was not tried is missing. */
export type Modes = Partial<Record<OpeningKind, Units>>;

/** How far the share of people may be from their share by heads, and from how many units on it is held to that. */
const POINTS_MAX = 3;
const UNITS_MIN = 1_000;

/** Returns the share of units that people would get if every head had the same chance, from 0 to 1. */
export const shareByHeads = ({ people, accounts }: Visitors): number => people / (people + accounts);

/** Returns the share of units that people got, from 0 to 1. */
export const shareOfPeople = ({ units, peopleUnits }: Units): number => (units === 0 ? 0 : peopleUnits / units);

/** Adds up the units of several sales. */
export function sumOf(sales: readonly Units[]): Units {
  const sum = (field: keyof Units) => sales.reduce((total, sale) => total + sale[field], 0);
  return { units: sum('units'), peopleUnits: sum('peopleUnits') };
}

/**
 * Returns the standard deviation of the share of people in fair draws, in points. In a draw nobody gets two units, so it is a little less
 * than in throws of a coin.
 *
 * @param each the units of one sale
 */
export function deviationOf(visitors: Visitors, { units, each }: { units: number; each: number }): number {
  const share = shareByHeads(visitors);
  const heads = visitors.people + visitors.accounts;
  return 100 * Math.sqrt((share * (1 - share) * (heads - each)) / ((heads - 1) * units));
}

/** Finds the openings with lots that do not give people their share. A rush is reported as it is. */
export function unfairIn(modes: Modes, visitors: Visitors): string[] {
  const fair = 100 * shareByHeads(visitors);
  return OPENINGS.flatMap(opening => {
    const { [opening]: sold } = modes;
    if (opening === 'rush' || !sold || sold.units < UNITS_MIN) return [];
    const share = 100 * shareOfPeople(sold);
    if (Math.abs(share - fair) <= POINTS_MAX) return [];
    return [
      `${opening}: people got ${share.toFixed(1)} % of ${sold.units} units, and are ${fair.toFixed(1)} % of the heads`,
    ];
  });
}

/** Returns the exit code of a simulation: 0 if nothing was wrong in any of its sales, and nothing unfair in all of them. */
export const exitCodeOf = (wrong: readonly string[]): 0 | 1 => (wrong.length === 0 ? 0 : 1);
