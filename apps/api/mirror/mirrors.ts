import type { Refusal } from './mirror.js';
import { MirroredSale, type MirrorParts } from './mirrored-sale.js';

/** The most sales for which this process keeps a mirror, a copy in memory. */
const SALES_MAX = 20;

/**
 * Refuses buyers from the memory of this process, in sales that have nothing to give. Each such sale has a mirror,
 * which is a copy of it.
 */
export class Mirrors {
  readonly #parts: MirrorParts;
  readonly #sales = new Map<string, MirroredSale>();

  constructor(parts: MirrorParts) {
    this.#parts = parts;
  }

  /** Returns why a mirror of the sale refuses the buyer, or undefined when only Redis can tell. */
  refusalOf(saleId: string, buyerId: string): Refusal | undefined {
    return this.#sales.get(saleId)?.refusalOf(buyerId);
  }

  /**
   * Starts to make a mirror of a sale, if the limits allow one. Call it when a buyer got no unit, as the sale may have
   * no unit left.
   */
  want(saleId: string): void {
    let sale = this.#sales.get(saleId);
    if (!sale) {
      if (this.#sales.size >= SALES_MAX && !this.#makeRoom()) return;
      sale = new MirroredSale(this.#parts, saleId);
      this.#sales.set(saleId, sale);
    }
    sale.want();
  }

  /** Drops all mirrors and stops following the changes of their sales. */
  close(): void {
    for (const sale of this.#sales.values()) sale.close();
    this.#sales.clear();
  }

  /** Forgets one sale that has no mirror, and returns whether there was one. */
  #makeRoom(): boolean {
    for (const [saleId, sale] of this.#sales) if (sale.isUnused) return this.#sales.delete(saleId);
    return false;
  }
}
