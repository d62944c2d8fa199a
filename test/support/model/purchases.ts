import type { Expected, Terms } from './terms.js';

/** The rules about all purchases of one buyer in the model: one at a time, and a pause after each. */
export class Purchases {
  readonly #terms: Terms;
  /** The claim that owns the lock of a buyer. */
  readonly locks = new Map<string, string>();
  /** Buyers with a pause after their last win. */
  readonly pausing = new Set<string>();

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  /** Returns an independent copy. */
  copy(): Purchases {
    const copy = new Purchases(this.#terms);
    for (const [buyerId, claimId] of this.locks) copy.locks.set(buyerId, claimId);
    for (const buyerId of this.pausing) copy.pausing.add(buyerId);
    return copy;
  }

  tooSoon(buyerId: string): Expected | undefined {
    if (this.pausing.has(buyerId)) return 'too_soon interval';
    return this.locks.has(buyerId) ? 'too_soon purchase' : undefined;
  }

  began(buyerId: string, claimId: string): void {
    if (this.#terms.onePurchaseAtATime && !this.locks.has(buyerId)) this.locks.set(buyerId, claimId);
    if (this.#terms.hasPause) this.pausing.add(buyerId);
  }

  over(buyerId: string, claimId: string): void {
    if (this.locks.get(buyerId) === claimId) this.locks.delete(buyerId);
  }

  /** Buys in another sale with the same rules. */
  buyElsewhere(buyerId: string, claimId: string): Expected {
    const early = this.tooSoon(buyerId);
    if (!early) this.began(buyerId, claimId);
    return early ?? 'won 1';
  }

  /** Ends the lock and the pause of a buyer, as time would. */
  outwait(buyerId: string): void {
    this.locks.delete(buyerId);
    this.pausing.delete(buyerId);
  }
}
