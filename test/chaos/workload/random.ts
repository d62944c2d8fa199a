/** Random numbers that are the same for the same seed, so that a run can be repeated. */
export interface Random {
  /** 0 to 1, without 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
  pick<T>(all: readonly T[]): T;
  shuffle<T>(all: readonly T[]): T[];
}

/**
 * Mulberry32: 32 bits of state, good enough to choose what to break.
 *
 * @param seed any number
 * @returns the same numbers for the same seed
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(all: readonly T[]): T => {
    if (all.length === 0) throw new Error('nothing to pick from');
    return all[between(0, all.length - 1)] as T;
  };
  return {
    next,
    between,
    chance: probability => next() < probability,
    pick,
    shuffle(all) {
      const left = [...all];
      return all.map(() => left.splice(between(0, left.length - 1), 1)[0] as (typeof all)[number]);
    },
  };
}
