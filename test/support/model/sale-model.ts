import type { RegrabOutcome } from '#core/redis/claims/regrab.js';
import type { RestoreOutcome } from '#core/redis/claims/restore.js';
import { type ClaimRecord, type EndedStatus, isLive } from '#core/rules/claim.js';
import { isStrike, type OrderReason } from '#core/rules/order.js';
import type { SaleState } from '#core/rules/sale.js';
import { SaleContent } from './sale-content.js';

type LiveStatus = 'queued' | 'pending_payment' | 'paid';
const FORWARD: LiveStatus[] = ['queued', 'pending_payment', 'paid'];

/** The outcome for a buyer, in words that the model and the outcomes of scripts share. */
export type Expected = string;

interface Releasing {
  buyerId: string;
  claimId: string;
  status: EndedStatus;
  reason: OrderReason;
  freesUnit: boolean;
}

interface Recording {
  buyerId: string;
  claimId: string;
  status: LiveStatus;
  payByMs: number;
  reason: string | undefined;
}

/**
 * The model of a sale in Redis, as plain as possible: buyers come one after the other, also those of a batch. The model
 * shares no code with the scripts.
 */
export class SaleModel extends SaleContent {
  /** Returns an independent copy. */
  copy(): SaleModel {
    return Object.assign(new SaleModel(this.terms), this, {
      stock: [...this.stock],
      standby: [...this.standby],
      behind: [...this.behind],
      withdrawn: [...this.withdrawn],
      outbox: new Set(this.outbox),
      claims: new Map(this.claims),
      locks: new Map(this.locks),
      pausing: new Set(this.pausing),
    });
  }

  claim(buyerId: string, claimId: string): Expected {
    const held = this.live(buyerId);
    if (held) return `held ${held.claimId} ${held.unit} ${held.status}`;
    if (this.state !== 'open') return `refused ${this.state}`;
    const strikes = this.countingStrikesOf(buyerId);
    const isFree = this.standby.length === 0 && this.stock.length > 0;
    if (isFree && strikes === 0) return this.#tooSoon(buyerId) ?? `won ${this.#give(buyerId, claimId)}`;
    if (!this.line.includes(buyerId)) {
      if (strikes > 0 && strikes >= this.terms.unpaidLimit) return 'unpaid_limit';
      if (isFree && this.behind.length === 0) {
        if (!this.isOffered) return 'others_first';
        return this.#tooSoon(buyerId) ?? `won ${this.#give(buyerId, claimId)}`;
      }
      const own = strikes > 0 ? this.behind : this.standby;
      if (this.standby.length >= this.cap || own.length >= this.cap) return 'sold_out';
      const early = this.#tooSoon(buyerId);
      if (early) return early;
      own.push(buyerId);
    }
    return `standby ${this.line.indexOf(buyerId) + 1}`;
  }

  /** Lets time pass, until buyers with strikes may take the units that are free. */
  offer(): void {
    this.isOffered = true;
  }

  /** Releases a claim. A unit that goes to the first on standby becomes a claim with the id `promotedAs`. */
  release({ buyerId, claimId, status, reason, freesUnit }: Releasing, promotedAs?: string): Expected {
    this.#over(buyerId, claimId);
    const held = this.live(buyerId);
    if (held?.claimId !== claimId) return 'not_held';
    const strikes = this.strikesOf(buyerId) + (this.terms.unpaidLimit > 0 && isStrike(reason) ? 1 : 0);
    this.claims.set(buyerId, { ...held, status, reason, ...(strikes > 0 && { strikes }) });
    this.outbox.delete(buyerId);
    if (!freesUnit) this.withdrawn.push(held.unit);
    const first = this.state === 'open' && freesUnit ? this.line[0] : undefined;
    if (first === undefined) {
      if (freesUnit) this.#free([held.unit]);
      return 'released';
    }
    this.stock.unshift(held.unit);
    return `promoted ${first} ${this.#give(first, promotedAs ?? 'nobody was promoted')}`;
  }

  recordStatus({ buyerId, claimId, status, payByMs, reason }: Recording): boolean {
    const claim = this.claims.get(buyerId);
    if (claim?.claimId !== claimId) return false;
    const { unit } = claim;
    if (isLive(claim.status) && FORWARD.indexOf(status) >= FORWARD.indexOf(claim.status as LiveStatus)) {
      const strikes = this.strikesOf(buyerId);
      this.claims.set(buyerId, {
        claimId,
        unit,
        status,
        payByMs,
        ...(reason && { reason }),
        ...(strikes > 0 && { strikes }),
      });
      if (status === 'paid') this.#over(buyerId, claimId);
    }
    this.outbox.delete(buyerId);
    return true;
  }

  promote(claimIds: string[]): Expected[] {
    const promoted: Expected[] = [];
    for (let [buyerId] = this.line; this.state === 'open' && this.stock.length > 0 && buyerId; [buyerId] = this.line) {
      promoted.push(`${buyerId} ${this.#give(buyerId, claimIds[promoted.length] ?? 'nobody was promoted')}`);
    }
    return promoted;
  }

  restock(units: number): number {
    const added = Math.max(0, units - this.units);
    if (added > 0) this.#free(Array.from({ length: added }, (_, i) => this.units + i + 1));
    this.units += added;
    return added;
  }

  leaveStandby(buyerId: string): boolean {
    const waited = this.line.includes(buyerId);
    this.#leave(buyerId);
    return waited;
  }

  /** Loses a claim with its entries, like a Redis that lost its latest writes. */
  lose(buyerId: string, claimId: string): boolean {
    const claim = this.claims.get(buyerId);
    if (claim?.claimId !== claimId) return false;
    this.claims.delete(buyerId);
    this.outbox.delete(buyerId);
    if (isLive(claim.status)) this.stock.unshift(claim.unit);
    this.#over(buyerId, claimId);
    this.turns += 1;
    return true;
  }

  /** Restores a claim that Redis may have lost. */
  restore(buyerId: string, given: ClaimRecord): RestoreOutcome {
    const had = this.claims.get(buyerId);
    const strikes = given.strikes ?? this.strikesOf(buyerId);
    const { strikes: _, ...rest } = given;
    const claim: ClaimRecord = { ...rest, ...(strikes > 0 && { strikes }) };
    if (had?.claimId === claim.claimId) return 'held';
    if (had && isLive(had.status)) return 'other_claim';
    if (isLive(claim.status)) {
      if (!this.stock.includes(claim.unit)) return 'unit_taken';
      this.#take(buyerId, claim);
      if (claim.status !== 'paid') this.#began(buyerId, claim.claimId);
    } else {
      if (had && had.claimId > claim.claimId) return 'other_claim';
      this.claims.set(buyerId, claim);
      this.#over(buyerId, claim.claimId);
    }
    return 'restored';
  }

  regrab(buyerId: string, endedClaimId: string, claimId: string): RegrabOutcome {
    const held = this.live(buyerId);
    if (held?.claimId === claimId) return { kind: 'taken', unit: held.unit };
    if (held) return { kind: held.claimId === endedClaimId ? 'not_released' : 'other_claim' };
    if (this.claims.get(buyerId)?.claimId === claimId) return { kind: 'ended' };
    if (this.state !== 'open') return { kind: 'not_open' };
    if (this.stock.length === 0 || this.line.length > 0) return { kind: 'sold_out' };
    return { kind: 'taken', unit: this.#give(buyerId, claimId) };
  }

  setReason(buyerId: string, claimId: string, reason: OrderReason): void {
    const claim = this.claims.get(buyerId);
    if (claim?.claimId !== claimId || isLive(claim.status)) return;
    const isForgiven = isStrike(claim.reason as OrderReason) && !isStrike(reason);
    const { strikes: had = 0, ...rest } = claim;
    const strikes = had - (isForgiven && had > 0 ? 1 : 0);
    this.claims.set(buyerId, { ...rest, reason, ...(strikes > 0 && { strikes }) });
  }

  setState(state: SaleState, generation: number | undefined): void {
    if (generation !== undefined && generation < this.generation) return;
    const isChange = state !== this.state || (generation !== undefined && generation !== this.stateGeneration);
    if (isChange) this.isOffered = false;
    this.state = state;
    this.generation = generation ?? this.generation;
    this.stateGeneration = generation ?? this.stateGeneration;
  }

  closeGate(gate: string): void {
    this.gate = gate;
    this.isOffered = false;
    this.turns += 1;
  }

  /**
   * Replaces the sale by an earlier state of it. A state knows of no withdrawn units, so these are free again, and of no tickets, so all
   * on standby are alike.
   */
  reopen(seen: SaleModel): boolean {
    if (this.gate === '' || this.gate !== seen.gate || this.generation > seen.generation) return false;
    const { locks, pausing, turns } = this;
    const stock = [...seen.stock, ...seen.withdrawn].toSorted((a, b) => a - b);
    const line = { standby: seen.line, behind: [], isOffered: false, stateGeneration: undefined };
    Object.assign(this, seen.copy(), { locks, pausing, turns: turns + 1, stock, withdrawn: [], gate: '', ...line });
    return true;
  }

  /** Buys in another sale with the same rules. */
  buyElsewhere(buyerId: string, claimId: string): Expected {
    const early = this.#tooSoon(buyerId);
    if (!early) this.#began(buyerId, claimId);
    return early ?? 'won 1';
  }

  /** Ends the lock and the pause of a buyer, as time would. */
  outwait(buyerId: string): void {
    this.locks.delete(buyerId);
    this.pausing.delete(buyerId);
  }

  #give(buyerId: string, claimId: string): number {
    const unit = this.stock[0] as number;
    const strikes = this.strikesOf(buyerId);
    this.#take(buyerId, { claimId, unit, status: 'queued', ...(strikes > 0 && { strikes }) });
    this.#began(buyerId, claimId);
    return unit;
  }

  #take(buyerId: string, claim: ClaimRecord): void {
    this.stock.splice(this.stock.indexOf(claim.unit), 1);
    this.claims.set(buyerId, claim);
    if (claim.status === 'queued') this.outbox.add(buyerId);
    this.#leave(buyerId);
  }

  #leave(buyerId: string): void {
    this.standby = this.standby.filter(other => other !== buyerId);
    this.behind = this.behind.filter(other => other !== buyerId);
  }

  /** Puts units into stock. Since then they are free, if none was free before. */
  #free(units: number[]): void {
    if (this.stock.length === 0) this.isOffered = false;
    this.stock.push(...units);
  }

  #tooSoon(buyerId: string): Expected | undefined {
    if (this.pausing.has(buyerId)) return 'too_soon interval';
    return this.locks.has(buyerId) ? 'too_soon purchase' : undefined;
  }

  #began(buyerId: string, claimId: string): void {
    if (this.terms.onePurchaseAtATime && !this.locks.has(buyerId)) this.locks.set(buyerId, claimId);
    if (this.terms.hasPause) this.pausing.add(buyerId);
  }

  #over(buyerId: string, claimId: string): void {
    if (this.locks.get(buyerId) === claimId) this.locks.delete(buyerId);
  }
}
