import type { BuyerStatus } from '#core/redis/claims/status.js';
import { type ClaimRecord, isLive } from '#core/rules/claim.js';
import type { SaleState } from '#core/rules/sale.js';

/** The settings of a sale. */
export interface Terms {
  units: number;
  standbyFactor: number;
  onePurchaseAtATime: boolean;
  /** Buyers have a pause after a purchase, which lasts until a command ends it. */
  hasPause: boolean;
  /** The ends without payment after which a buyer gets no unit any more; 0 if they do not count. */
  unpaidLimit: number;
}

/** A sale in Redis, without its clock. */
export interface Picture {
  units: number;
  cap: number;
  state: SaleState;
  generation: number;
  gate: string;
  stock: number[];
  claims: Map<string, ClaimRecord>;
  outbox: string[];
  standby: string[];
  locks: Map<string, string>;
  pausing: Set<string>;
}

/** The content of a sale in the model, and what it says of a buyer. */
export class SaleContent {
  readonly terms: Terms;
  units: number;
  state: SaleState = 'open';
  /** The latest generation that a change has named. */
  generation = 1;
  /** The token of the closed gate; '' while the gate is open. */
  gate = '';
  /** Counts what no message reports: a gate that closed or opened, and a loss. An earlier copy is out of date. */
  turns = 0;
  stock: number[];
  standby: string[] = [];
  /** Buyers with strikes on standby: they are behind all others. */
  behind: string[] = [];
  /** Whether units have been free for long enough that a buyer with strikes may take one. */
  isOffered = false;
  /** The generation of the last change of the state. */
  stateGeneration: number | undefined;
  /** Refunded units that are not sold again. */
  withdrawn: number[] = [];
  readonly outbox = new Set<string>();
  readonly claims = new Map<string, ClaimRecord>();
  /** The claim that owns the lock of a buyer. */
  readonly locks = new Map<string, string>();
  /** Buyers with a pause after their last win. */
  readonly pausing = new Set<string>();

  constructor(terms: Terms) {
    this.terms = terms;
    this.units = terms.units;
    this.stock = Array.from({ length: terms.units }, (_, i) => i + 1);
  }

  /** The buyers on standby in their order. */
  get line(): string[] {
    return [...this.standby, ...this.behind];
  }

  strikesOf(buyerId: string): number {
    return this.claims.get(buyerId)?.strikes ?? 0;
  }

  /** Returns the strikes of a buyer, in a sale in which they count. */
  countingStrikesOf(buyerId: string): number {
    return this.terms.unpaidLimit > 0 ? this.strikesOf(buyerId) : 0;
  }

  statusOf(buyerId: string): BuyerStatus {
    const claim = this.claims.get(buyerId);
    const position = this.live(buyerId) ? 0 : this.line.indexOf(buyerId) + 1;
    return { ...(claim && { claim }), ...(position > 0 && { position }) };
  }

  /** Returns the refusal of a buyer who comes now, and who gets neither a unit nor a position on standby. */
  refusal(buyerId: string): 'sold_out' | 'closed' | undefined {
    if (this.live(buyerId)) return undefined;
    if (this.state === 'closed') return 'closed';
    const isFull = this.stock.length === 0 && this.standby.length >= this.cap;
    return this.state === 'open' && isFull && !this.line.includes(buyerId) ? 'sold_out' : undefined;
  }

  live(buyerId: string): ClaimRecord | undefined {
    const claim = this.claims.get(buyerId);
    return claim && isLive(claim.status) ? claim : undefined;
  }

  get cap(): number {
    return this.units * this.terms.standbyFactor;
  }

  /** Returns the part of the model that Redis shows. */
  picture(): Picture {
    const { units, cap, state, generation, gate, stock, claims, line: standby, locks, pausing } = this;
    const outbox = [...this.outbox].sort();
    return { units, cap, state, generation, gate, stock, claims, outbox, standby, locks, pausing };
  }
}
