import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne } from 'pure-rand/generator/mersenne';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** Random choices that are the same for the same seed, so that a run can be repeated. */
export class Random {
  readonly #numbers: RandomGenerator;

  /** @param seed a whole number. Neighbouring seeds give unrelated numbers, which xoroshiro128plus would not. */
  constructor(seed: number) {
    this.#numbers = mersenne(seed);
  }

  /** Returns a number from 0 to 1, without 1. */
  next(): number {
    return uniformFloat64(this.#numbers);
  }

  /** Returns a whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return uniformInt(this.#numbers, low, high);
  }

  /** Returns whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Returns one element. */
  pick<T>(all: readonly T[]): T {
    if (all.length === 0) throw new Error('nothing to pick from');
    return all[this.between(0, all.length - 1)] as T;
  }

  /** Returns a copy in another order. */
  shuffle<T>(all: readonly T[]): T[] {
    const left = [...all];
    return all.map(() => left.splice(this.between(0, left.length - 1), 1)[0] as T);
  }
}
