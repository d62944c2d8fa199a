/** The tickets of buyers who come after the opening begin here. */
const LATE_FROM = 2 ** 52;

/** The status of a buyer of a draw. */
export interface LineStatus {
  isWinner: boolean;
  isJoined?: boolean;
  position?: number;
  entry?: number;
}

/** The model of a draw in both stores, as plain as possible. It shares no code with the product. */
export class LineModel {
  free: number;
  phase: 'before' | 'opened' | 'ordered' = 'before';
  readonly winners = new Set<string>();
  /** The last receipt of each buyer: the number of their entry. */
  readonly receipts = new Map<string, number>();
  #entries = new Map<string, number>();
  /** Buyers and their tickets. */
  #line = new Map<string, number>();
  #stored = new Map<string, { number: number; isWaiting: boolean }>();
  readonly #unstored = new Set<string>();
  #late = 0;
  #lotOf: (buyerId: string) => number = () => 0;

  constructor(units: number) {
    this.free = units;
  }

  /** @param number the number that Redis has given, if it has given a new one */
  join(buyerId: string, number: number | undefined): string {
    if (this.winners.has(buyerId)) return 'held';
    if (!this.#line.has(buyerId)) {
      if (this.phase === 'ordered' && this.free > 0 && this.#line.size === 0) return this.#win(buyerId);
      if (this.phase === 'before') this.#enter(buyerId, this.#entries.get(buyerId) ?? number ?? 0);
      else this.#line.set(buyerId, this.#lateTicket());
    }
    if (this.phase === 'ordered') return `standby ${this.#rank(buyerId)}`;
    const isBefore = this.phase === 'before' ? '' : ' late';
    const entry = (this.#line.get(buyerId) ?? 0) < LATE_FROM ? this.#entries.get(buyerId) : undefined;
    return `joined ${entry ?? '-'}${isBefore}`;
  }

  leave(buyerId: string): boolean {
    if (this.#line.delete(buyerId) === false) return false;
    if (this.#entries.has(buyerId)) this.#unstored.add(buyerId);
    return true;
  }

  /** Restores the entry of the buyer's receipt, which Postgres then has. */
  restore(buyerId: string): boolean {
    const number = this.receipts.get(buyerId);
    if (number === undefined || this.#entries.has(buyerId)) return false;
    this.#entries.set(buyerId, number);
    if (!this.winners.has(buyerId)) this.#line.set(buyerId, this.#ticketOf(buyerId, number));
    this.#unstored.add(buyerId);
    this.keep();
    return true;
  }

  /** Stores the entries in Postgres. */
  keep(): void {
    for (const buyerId of this.#unstored) {
      const isWaiting = this.#line.has(buyerId) || this.winners.has(buyerId);
      this.#stored.set(buyerId, { number: this.#entries.get(buyerId) as number, isWaiting });
    }
    this.#unstored.clear();
  }

  /** Rebuilds the draw. A buyer who left and came back before Postgres heard of it has the entry again. */
  rebuild(): void {
    this.keep();
    for (const [buyerId, { number, isWaiting }] of this.#stored) {
      if (isWaiting && !this.winners.has(buyerId)) this.#line.set(buyerId, this.#ticketOf(buyerId, number));
    }
  }

  /** Makes the order, and gives the free units to the first buyers. */
  order(lotOf: (buyerId: string) => number): void {
    this.#lotOf = lotOf;
    this.phase = 'ordered';
    this.rebuild();
    this.deal();
  }

  deal(): void {
    for (const buyerId of this.line().slice(0, this.free)) this.#win(buyerId);
  }

  /** Loses Redis, and rebuilds the draw from Postgres. */
  lose(): void {
    this.#unstored.clear();
    this.#late = 0;
    this.#entries = new Map([...this.#stored].map(([buyerId, { number }]) => [buyerId, number]));
    const waiting = [...this.#stored].filter(([buyerId, { isWaiting }]) => isWaiting && !this.winners.has(buyerId));
    this.#line = new Map(waiting.map(([buyerId, { number }]) => [buyerId, this.#ticketOf(buyerId, number)]));
    if (this.phase === 'ordered') this.deal();
  }

  /** Returns the buyers in the line, the first one first. */
  line(): string[] {
    return [...this.#line].sort((a, b) => a[1] - b[1]).map(([buyerId]) => buyerId);
  }

  statusOf(buyerId: string): LineStatus {
    const isWinner = this.winners.has(buyerId);
    if (!this.#line.has(buyerId)) return { isWinner };
    // A buyer who left and came back after the opening is behind the entries, and has none.
    const entry = (this.#line.get(buyerId) ?? 0) < LATE_FROM ? this.#entries.get(buyerId) : undefined;
    const standing = this.phase === 'ordered' ? { position: this.#rank(buyerId) } : { isJoined: true };
    return { isWinner, ...standing, ...(entry === undefined ? {} : { entry }) };
  }

  #enter(buyerId: string, number: number): void {
    this.#entries.set(buyerId, number);
    this.receipts.set(buyerId, number);
    this.#line.set(buyerId, number);
    this.#unstored.add(buyerId);
  }

  #win(buyerId: string): string {
    this.#line.delete(buyerId);
    this.winners.add(buyerId);
    this.free -= 1;
    return 'won';
  }

  #ticketOf(buyerId: string, ticket: number): number {
    return this.phase === 'ordered' && ticket < LATE_FROM ? this.#lotOf(buyerId) : ticket;
  }

  #lateTicket(): number {
    this.#late += 1;
    return LATE_FROM + this.#late;
  }

  #rank(buyerId: string): number {
    return this.line().indexOf(buyerId) + 1;
  }
}
