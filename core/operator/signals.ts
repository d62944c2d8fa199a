import type { Database } from '../postgres/database.js';
import { type BuyerCounts, signalPages } from '../postgres/orders/signal-pages.js';

/** The most groups that are counted at once, some 100 MB. Those that come later are only counted as left out. */
const GROUPS_MAX = 1_000_000;

/** A buyer whose orders have ended without payment, and how often. */
export type BuyerSignal = Omit<BuyerCounts, 'group'>;

/** A group of buyers, and how their orders stand. */
export interface GroupSignal {
  group: string;
  buyers: number;
  live: number;
  unpaid: number;
  gaveUp: number;
}

/** The counts of a sale's orders that show holding without paying. None of them is a judgement. */
export interface Signals {
  saleId: string;
  /** Orders that were not paid in time. */
  unpaid: number;
  /** Orders that their buyers gave up. */
  gaveUp: number;
  /** The buyers with an order that ended in one of these ways, and those with two or more of them. */
  buyersWithEnds: number;
  buyersWithRepeatedEnds: number;
  /** The buyers with repeated ends, those with the most first. */
  buyers: BuyerSignal[];
  groups: number;
  /** The groups with the most live orders and ends. */
  topGroups: GroupSignal[];
  /** Buyers whose groups were not counted, as there were more than a million. */
  leftOut: number;
}

/**
 * Reads the signals of a sale from its orders, page by page.
 *
 * @param limit the most buyers and groups that are listed
 * @throws Prisma's error
 */
export async function readSignals(db: Database, saleId: string, limit: number): Promise<Signals> {
  const ends = new BuyerEnds(limit);
  const groups = new Groups();
  for await (const page of signalPages(db, saleId)) {
    for (const counts of page) {
      ends.add(counts);
      groups.add(counts);
    }
  }
  return { saleId, ...ends.result(), ...groups.result(limit) };
}

const endsOf = ({ unpaid, gaveUp }: Pick<BuyerSignal, 'unpaid' | 'gaveUp'>): number => unpaid + gaveUp;

/** Adds up the ends of all buyers, and keeps those with the most. The buyers come in the order of their ids. */
class BuyerEnds {
  readonly #limit: number;
  readonly #sums = { unpaid: 0, gaveUp: 0, buyersWithEnds: 0, buyersWithRepeatedEnds: 0 };
  #most: BuyerSignal[] = [];
  #last: BuyerSignal | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add({ group: _, ...counts }: BuyerCounts): void {
    const last = this.#last;
    if (last?.buyerId === counts.buyerId) {
      last.live += counts.live;
      last.unpaid += counts.unpaid;
      last.gaveUp += counts.gaveUp;
      return;
    }
    this.#end();
    this.#last = counts;
  }

  result(): Pick<Signals, 'unpaid' | 'gaveUp' | 'buyersWithEnds' | 'buyersWithRepeatedEnds' | 'buyers'> {
    this.#end();
    this.#cut();
    return { ...this.#sums, buyers: this.#most };
  }

  #end(): void {
    const buyer = this.#last;
    this.#last = undefined;
    if (!buyer || endsOf(buyer) === 0) return;
    this.#sums.unpaid += buyer.unpaid;
    this.#sums.gaveUp += buyer.gaveUp;
    this.#sums.buyersWithEnds += 1;
    if (endsOf(buyer) < 2) return;
    this.#sums.buyersWithRepeatedEnds += 1;
    // Sorting after each buyer would cost more than room for twice as many.
    if (this.#most.push(buyer) >= 2 * this.#limit) this.#cut();
  }

  #cut(): void {
    this.#most.sort((a, b) => endsOf(b) - endsOf(a)).splice(this.#limit);
  }
}

/** Adds up the orders of each group. */
class Groups {
  readonly #all = new Map<string, GroupSignal>();
  #leftOut = 0;

  add({ group, live, unpaid, gaveUp }: BuyerCounts): void {
    if (group === undefined) return;
    const known = this.#all.get(group);
    if (!known && this.#all.size >= GROUPS_MAX) this.#leftOut += 1;
    else if (!known) this.#all.set(group, { group, buyers: 1, live, unpaid, gaveUp });
    else {
      known.buyers += 1;
      known.live += live;
      known.unpaid += unpaid;
      known.gaveUp += gaveUp;
    }
  }

  result(limit: number): Pick<Signals, 'groups' | 'topGroups' | 'leftOut'> {
    const weight = (group: GroupSignal) => group.live + endsOf(group);
    const topGroups = [...this.#all.values()].sort((a, b) => weight(b) - weight(a)).slice(0, limit);
    return { groups: this.#all.size, topGroups, leftOut: this.#leftOut };
  }
}
