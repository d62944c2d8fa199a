import type { Mutant } from '../mutant.js';
import { fileId, functionsOf, type Spot } from '../nearest/functions.js';

/** The text that a mutant belongs to: its outermost function, or what its file has outside of functions, or a whole script. */
export interface Scope {
  id: string;
  text: string;
  /** Where the mutant begins in the text. */
  offset: number;
}

const outermost = new Map<string, Spot[]>();

/**
 * Returns the text that the result of a mutant depends on in its own file. Other functions of the file count as those of other files
 * do: they are no part of a result. So a result outlives edits beside its function.
 *
 * @param text the text of the file
 */
export function scopeOf({ file, start }: Mutant, text: string): Scope {
  const spots = outermostOf(file, text);
  const own = spots.find(spot => spot.start <= start && start < spot.end);
  if (own) return { id: own.id, text: text.slice(own.start, own.end), offset: start - own.start };
  const before = spots.filter(spot => spot.end <= start).reduce((sum, spot) => sum + spot.end - spot.start, 0);
  const outside = spots.toReversed().reduce((rest, spot) => rest.slice(0, spot.start) + rest.slice(spot.end), text);
  return { id: fileId(file), text: outside, offset: start - before };
}

function outermostOf(file: string, text: string): Spot[] {
  if (!/\.(ts|js)$/.test(file)) return [];
  const key = `${file}\0${text}`;
  const known = outermost.get(key);
  if (known) return known;
  const spots = functionsOf(file, text).filter(
    (spot, _, all) => !all.some(other => other !== spot && other.start <= spot.start && spot.end <= other.end),
  );
  outermost.set(key, spots);
  return spots;
}
