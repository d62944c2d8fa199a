import { getRandomValues } from 'node:crypto';

/** The constants of HalfSipHash with a result of 64 bits. */
const START = [0, 0xee, 0x6c796765, 0x74656462] as const;
const END_OF_TEXT = 0xee;
const SECOND_HALF = 0xdd;

/** The rounds of HalfSipHash-1-3: after each word of four characters, and for each half of the result. */
const ROUNDS = { word: 1, half: 3 };

/**
 * Hashes buyers' ids to 64 bits by HalfSipHash-1-3 (J.-P. Aumasson and D. J. Bernstein; `hsiphash` in Linux). Its key is
 * random and never leaves this object. So nobody can choose ids with equal hashes, and 100,000 buyers have two equal
 * hashes with a probability of 3 in 10 billion. An id of 13 characters takes about 0.1 µs, and a hash of node:crypto
 * takes 0.6 µs.
 */
export class BuyerHash {
  readonly #key: Int32Array;
  readonly #rounds: typeof ROUNDS;
  readonly #state = new Int32Array(4);
  /** The halves of the last hash, as signed integers. They are no return value, as it would be an object for each call. */
  low = 0;
  high = 0;

  /**
   * Creates the hash.
   *
   * @param key random by default
   * @param rounds others are for the test vectors of the algorithm's authors
   */
  constructor(key = getRandomValues(new Int32Array(2)), rounds = ROUNDS) {
    this.#key = key;
    this.#rounds = rounds;
  }

  /** Hashes an id, whose characters must be ASCII, and writes the result to {@link low} and {@link high}. */
  hash(buyerId: string): void {
    const v = this.#state;
    const { word: wordRounds, half: halfRounds } = this.#rounds;
    for (let i = 0; i < v.length; i += 1) v[i] = at(this.#key, i & 1) ^ (START[i] as number);
    const { length } = buyerId;
    for (let from = 0; from <= length; from += 4) {
      const isLast = from + 4 > length;
      const word = wordAt(buyerId, from) | (isLast ? length << 24 : 0);
      v[3] = at(v, 3) ^ word;
      mix(v, wordRounds);
      v[0] = at(v, 0) ^ word;
    }
    v[2] = at(v, 2) ^ END_OF_TEXT;
    mix(v, halfRounds);
    this.low = at(v, 1) ^ at(v, 3);
    v[1] = at(v, 1) ^ SECOND_HALF;
    mix(v, halfRounds);
    this.high = at(v, 1) ^ at(v, 3);
  }
}

/** Returns four characters of a text as one number. Characters beyond its end count as 0. */
function wordAt(text: string, from: number): number {
  let word = 0;
  const end = Math.min(from + 4, text.length);
  for (let i = from; i < end; i += 1) word |= text.charCodeAt(i) << (8 * (i - from));
  return word;
}

/** Rounds of HalfSipHash. */
function mix(v: Int32Array, rounds: number): void {
  let [v0, v1, v2, v3] = [at(v, 0), at(v, 1), at(v, 2), at(v, 3)];
  for (let round = 0; round < rounds; round += 1) {
    v0 = (v0 + v1) | 0;
    v1 = rotated(v1, 5) ^ v0;
    v0 = rotated(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotated(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotated(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotated(v1, 13) ^ v2;
    v2 = rotated(v2, 16);
  }
  v[0] = v0;
  v[1] = v1;
  v[2] = v2;
  v[3] = v3;
}

const at = (numbers: Int32Array, index: number): number => numbers[index] as number;
const rotated = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
