/** Facts about a unit besides the claim that holds it. */
const FREE = 1;
const FREE_TWICE = 2;
const HELD_TWICE = 4;
const WITHDRAWN = 8;

/**
 * Where each unit of a sale is: with a claim, free, or withdrawn, which is refunded and out of stock. A sale may have millions of units,
 * so each takes five bytes.
 */
export class Units {
  /** For each unit the last 32 bits of the claim that holds it, 0 for none. They are random in a claim id (RFC 9562, version 7). */
  #holders: Uint32Array;
  #flags: Uint8Array;
  /** The numbers of units that the sale does not have. */
  readonly #unknown = new Set<number>();
  #held = 0;

  /**
   * Creates units of which nothing is known.
   *
   * @param count the units of the sale, with the numbers 1 to `count`
   */
  constructor(count: number) {
    this.#holders = new Uint32Array(count + 1);
    this.#flags = new Uint8Array(count + 1);
  }

  /** The number of units. */
  get count(): number {
    return this.#flags.length - 1;
  }

  /** The number of units that a claim holds. */
  get held(): number {
    return this.#held;
  }

  /** Adds units with the next numbers, up to `count`. */
  growTo(count: number): void {
    if (count < this.#flags.length) return;
    const [holders, flags] = [this.#holders, this.#flags];
    this.#holders = new Uint32Array(count + 1);
    this.#flags = new Uint8Array(count + 1);
    this.#holders.set(holders);
    this.#flags.set(flags);
  }

  /** Tells whether the sale has a unit with this number. */
  has(unit: number): boolean {
    return unit >= 1 && unit < this.#flags.length;
  }

  /**
   * Records that a live claim holds a unit. The same claim may be recorded again.
   *
   * @returns false if another claim holds it, or the sale does not have it: then nobody else loses it
   */
  hold(unit: number, claimId: string): boolean {
    if (!this.has(unit)) {
      this.#unknown.add(unit);
      return false;
    }
    if (this.#holders[unit] === 0) {
      this.#holders[unit] = tagOf(claimId);
      this.#held += 1;
    }
    const isHeld = this.isHeldBy(unit, claimId);
    if (!isHeld) this.#add(unit, HELD_TWICE);
    return isHeld;
  }

  /** Records that a claim holds its unit no more. It is a no-op if another claim does. */
  letGo(unit: number, claimId: string): void {
    if (!this.has(unit) || !this.isHeldBy(unit, claimId)) return;
    this.#holders[unit] = 0;
    this.#held -= 1;
  }

  isHeld(unit: number): boolean {
    return this.has(unit) && this.#holders[unit] !== 0;
  }

  isHeldBy(unit: number, claimId: string): boolean {
    return this.#holders[unit] === tagOf(claimId);
  }

  /** Records that a unit is in stock. */
  free(unit: number): void {
    if (!this.has(unit)) this.#unknown.add(unit);
    else this.#add(unit, this.#is(unit, FREE) ? FREE_TWICE : FREE);
  }

  /** Records that a unit was refunded and does not return to stock. */
  withdraw(unit: number): void {
    if (this.has(unit)) this.#add(unit, WITHDRAWN);
  }

  /** Tells whether a unit is neither held nor withdrawn, and so belongs into stock. */
  isUnheld(unit: number): boolean {
    return this.#holders[unit] === 0 && !this.#is(unit, WITHDRAWN);
  }

  /** Lists the units that belong into stock, by their numbers. */
  *unheld(): Generator<number> {
    for (let unit = 1; unit < this.#flags.length; unit += 1) if (this.isUnheld(unit)) yield unit;
  }

  /**
   * Lists the units that are not exactly once in stock or in a live claim, and those that the sale does not have. A withdrawn unit
   * may be in one live claim, or in none.
   */
  wrong(): number[] {
    const wrong = [...this.#unknown];
    for (let unit = 1; unit < this.#flags.length; unit += 1) {
      const claims = (this.isHeld(unit) ? 1 : 0) + (this.#is(unit, HELD_TWICE) ? 1 : 0);
      const stock = (this.#is(unit, FREE) ? 1 : 0) + (this.#is(unit, FREE_TWICE) ? 1 : 0);
      const isRight = this.#is(unit, WITHDRAWN) ? claims <= 1 && stock === 0 : claims + stock === 1;
      if (!isRight) wrong.push(unit);
    }
    return wrong;
  }

  #is(unit: number, flag: number): boolean {
    return ((this.#flags[unit] ?? 0) & flag) !== 0;
  }

  #add(unit: number, flag: number): void {
    this.#flags[unit] = (this.#flags[unit] ?? 0) | flag;
  }
}

/** Returns the last 32 bits of a claim id; 1 instead of 0, which stands for no claim. */
function tagOf(claimId: string): number {
  return Number.parseInt(claimId.slice(-8), 16) || 1;
}
