import { type ClaimRecord, type EndedStatus, isLive } from '#core/claim.js';
import type { SaleState } from '#core/sale.js';
import type { Snapshot } from '#core/stock/snapshot.js';

type LiveStatus = 'queued' | 'pending_payment' | 'paid';
const FORWARD: LiveStatus[] = ['queued', 'pending_payment', 'paid'];

/** What a buyer should get, in words that both the model and the scripts' outcomes can be put into. */
export type Expected = string;

/**
 * What a sale in Redis should be, said as plainly as possible: buyers come one after the other, and a batch is nothing but that.
 * It shares no code with the scripts.
 */
export class SaleModel {
  readonly standbyFactor: number;
  units: number;
  state: SaleState = 'open';
  stock: number[];
  standby: string[] = [];
  readonly outbox = new Set<string>();
  readonly claims = new Map<string, ClaimRecord>();

  constructor(units: number, standbyFactor: number) {
    this.units = units;
    this.standbyFactor = standbyFactor;
    this.stock = Array.from({ length: units }, (_, i) => i + 1);
  }

  claim(buyerId: string, claimId: string): Expected {
    const held = this.live(buyerId);
    if (held) return `held ${held.claimId} ${held.unit} ${held.status}`;
    if (this.state !== 'open') return `refused ${this.state}`;
    if (this.standby.length === 0 && this.stock.length > 0) return `won ${this.#give(buyerId, claimId)}`;
    if (!this.standby.includes(buyerId)) {
      if (this.standby.length >= this.units * this.standbyFactor) return 'sold_out';
      this.standby.push(buyerId);
    }
    return `standby ${this.standby.indexOf(buyerId) + 1}`;
  }

  /** @returns whether it was held; a unit that went to the first on standby is theirs under the id that `promotedAs` gives */
  release(buyerId: string, claimId: string, status: EndedStatus, promotedAs: string | undefined): Expected {
    const held = this.live(buyerId);
    if (held?.claimId !== claimId) return 'not_held';
    this.claims.set(buyerId, { ...held, status, reason: 'unpaid' });
    this.outbox.delete(buyerId);
    const first = this.state === 'open' ? this.standby[0] : undefined;
    if (first === undefined) {
      this.stock.push(held.unit);
      return 'released';
    }
    this.stock.unshift(held.unit);
    return `promoted ${first} ${this.#give(first, promotedAs ?? 'nobody was promoted')}`;
  }

  recordStatus(buyerId: string, claimId: string, status: LiveStatus, payByMs: number, reason?: string): Expected {
    const claim = this.claims.get(buyerId);
    if (claim?.claimId !== claimId) return 'false';
    const { unit } = claim;
    if (isLive(claim.status) && FORWARD.indexOf(status) >= FORWARD.indexOf(claim.status as LiveStatus)) {
      this.claims.set(buyerId, { claimId, unit, status, payByMs, ...(reason ? { reason } : {}) });
    }
    this.outbox.delete(buyerId);
    return 'true';
  }

  promote(claimIds: string[]): Expected[] {
    const promoted: Expected[] = [];
    while (this.state === 'open' && this.stock.length > 0 && this.standby[0] !== undefined) {
      const buyerId = this.standby[0];
      promoted.push(`${buyerId} ${this.#give(buyerId, claimIds[promoted.length] ?? 'nobody was promoted')}`);
    }
    return promoted;
  }

  restock(units: number): number {
    const added = Math.max(0, units - this.units);
    for (let i = 1; i <= added; i += 1) this.stock.push(this.units + i);
    this.units += added;
    return added;
  }

  leaveStandby(buyerId: string): boolean {
    const waited = this.standby.includes(buyerId);
    this.standby = this.standby.filter(other => other !== buyerId);
    return waited;
  }

  /** @returns why a buyer who comes now gets nothing, not even a place in line or the one they have */
  refusal(buyerId: string): 'sold_out' | 'closed' | undefined {
    if (this.live(buyerId)) return undefined;
    if (this.state === 'closed') return 'closed';
    const isFull = this.stock.length === 0 && this.standby.length >= this.units * this.standbyFactor;
    return this.state === 'open' && isFull && !this.standby.includes(buyerId) ? 'sold_out' : undefined;
  }

  live(buyerId: string): ClaimRecord | undefined {
    const claim = this.claims.get(buyerId);
    return claim && isLive(claim.status) ? claim : undefined;
  }

  /** @returns what a snapshot of Redis should show, without its clock and its run */
  picture(): object {
    const { units, stock, claims, standby } = this;
    return { units, stock, claims, outbox: [...this.outbox].sort(), standby };
  }

  #give(buyerId: string, claimId: string): number {
    const unit = this.stock.shift() as number;
    this.claims.set(buyerId, { claimId, unit, status: 'queued' });
    this.outbox.add(buyerId);
    this.standby = this.standby.filter(other => other !== buyerId);
    return unit;
  }
}

/** @returns a snapshot in the form of {@link SaleModel.picture} */
export function pictureOf(snapshot: Snapshot): object {
  const { units, stock, claims, standby } = snapshot;
  return { units, stock, claims, outbox: [...snapshot.outbox.keys()].sort(), standby };
}

/** @returns the units that are free and those in live claims, in order: 1..N when nothing is lost and nothing is there twice */
export function unitsOf({ stock, claims }: Snapshot): number[] {
  const live = [...claims.values()].filter(claim => isLive(claim.status)).map(claim => claim.unit);
  return [...stock, ...live].sort((a, b) => a - b);
}
