import type { Refusal } from './mirror.js';
import { MirroredSale, type MirrorParts } from './mirrored-sale.js';

/** The most sales that have a mirror at the same time. */
const SALES_MAX = 20;

/** Refuses buyers from the memory of this process, in sales that have nothing to give. */
export class Mirrors {
  readonly #parts: MirrorParts;
  readonly #sales = new Map<string, MirroredSale>();

  constructor(parts: MirrorParts) {
    this.#parts = parts;
  }

  /** Returns why the buyer gets nothing, or undefined when only Redis can tell. */
  refusalOf(saleId: string, buyerId: string): Refusal | undefined {
    return this.#sales.get(saleId)?.refusalOf(buyerId);
  }

  /** Makes a mirror of a sale soon. Call it when a buyer got no unit, as the sale may have no unit left. */
  want(saleId: string): void {
    let sale = this.#sales.get(saleId);
    if (!sale) {
      if (this.#sales.size >= SALES_MAX && !this.#makeRoom()) return;
      sale = new MirroredSale(this.#parts, saleId);
      this.#sales.set(saleId, sale);
    }
    sale.want();
  }

  /** Stops following every sale. */
  close(): void {
    for (const sale of this.#sales.values()) sale.close();
    this.#sales.clear();
  }

  /** Forgets one sale that has no mirror. */
  #makeRoom(): boolean {
    for (const [saleId, sale] of this.#sales) if (sale.isUnused) return this.#sales.delete(saleId);
    return false;
  }
}
