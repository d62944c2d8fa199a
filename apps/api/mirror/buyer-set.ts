import { randomInt } from 'node:crypto';

/** Two numbers that nobody outside of this process knows. */
const [FIRST_SEED, SECOND_SEED] = [randomInt(2 ** 32), randomInt(2 ** 32)];

/** The number of different keys: a double has 53 bits for whole numbers. */
const KEYS = 2 ** 53;

/**
 * Computes the key of a buyer in a {@link BuyerSet}: a number from 1 to 2^53, by the public-domain hash cyrb53. Of two million
 * buyers, a stranger has the key of one with a probability of 2 in 10 billion. The seed is random, so nobody can choose such an id.
 */
export function keyOf(buyerId: string): number {
  let [one, other] = [0xdeadbeef ^ FIRST_SEED, 0x41c6ce57 ^ SECOND_SEED];
  for (let i = 0; i < buyerId.length; i += 1) {
    const code = buyerId.charCodeAt(i);
    one = Math.imul(one ^ code, 2_654_435_761);
    other = Math.imul(other ^ code, 1_597_334_677);
  }
  one = Math.imul(one ^ (one >>> 16), 2_246_822_507) ^ Math.imul(other ^ (other >>> 13), 3_266_489_909);
  other = Math.imul(other ^ (other >>> 16), 2_246_822_507) ^ Math.imul(one ^ (one >>> 13), 3_266_489_909);
  return 2 ** 32 * (2_097_151 & other) + (one >>> 0) + 1;
}

/** The largest share of the slots that are in use. With more, a look passes too many of them. */
const FULLEST = 0.85;

/** The share in use after the set has grown. Together they keep a buyer at 9.4 to 12 bytes. */
const AFTER_GROWTH = 0.68;

/**
 * A set of buyers by their keys, in 12 bytes a buyer instead of a hundred: a hash table with linear probing. A key is in the
 * slot to which it is proportional, or in one of the next ones without a gap.
 */
export class BuyerSet {
  /** 0 stands for a free slot. */
  #slots: Float64Array;
  #size = 0;

  /**
   * Creates an empty set.
   *
   * @param expected the number of buyers for which there is room at once
   */
  constructor(expected: number) {
    this.#slots = new Float64Array(slotsFor(expected));
  }

  get size(): number {
    return this.#size;
  }

  /** The memory that the set takes, in bytes. */
  get bytes(): number {
    return this.#slots.byteLength;
  }

  has(key: number): boolean {
    return this.#slots[this.#find(key)] === key;
  }

  add(key: number): void {
    const slot = this.#find(key);
    if (this.#slots[slot] === key) return;
    this.#slots[slot] = key;
    this.#size += 1;
    if (this.#size > FULLEST * this.#slots.length) this.#grow();
  }

  delete(key: number): void {
    let gap = this.#find(key);
    if (this.#slots[gap] !== key) return;
    this.#size -= 1;
    // Later keys move up to the gap if they may be there, so that each stays without a gap behind its own slot.
    for (let slot = this.#next(gap); this.#slots[slot] !== 0; slot = this.#next(slot)) {
      const moved = this.#slots[slot] ?? 0;
      if (this.#distance(this.#homeOf(moved), slot) < this.#distance(gap, slot)) continue;
      this.#slots[gap] = moved;
      gap = slot;
    }
    this.#slots[gap] = 0;
  }

  /** Returns the slot of a key, or the free one in which it belongs. */
  #find(key: number): number {
    let slot = this.#homeOf(key);
    for (let found = this.#slots[slot]; found !== 0 && found !== key; found = this.#slots[slot])
      slot = this.#next(slot);
    return slot;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Float64Array(slotsFor(this.#size));
    for (const key of before) if (key !== 0) this.#slots[this.#find(key)] = key;
  }

  #homeOf(key: number): number {
    return Math.floor(((key - 1) / KEYS) * this.#slots.length);
  }

  #next(slot: number): number {
    return slot + 1 === this.#slots.length ? 0 : slot + 1;
  }

  /** Returns how many slots one is after another, around the end. */
  #distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.#slots.length;
  }
}

const slotsFor = (buyers: number): number => Math.ceil((buyers + 8) / AFTER_GROWTH);
