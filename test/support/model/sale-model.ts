import type { RegrabOutcome } from '#core/redis/claims/regrab.js';
import type { RestoreOutcome } from '#core/redis/claims/restore.js';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { type ClaimRecord, isLive } from '#core/rules/claim.js';
import type { SaleState } from '#core/rules/sale.js';
import { groupOf, isFull, strikesAt } from './groups.js';
import { Purchases } from './purchases.js';
import { strikesIn, withReason, withStrikes } from './strikes.js';
import type { Expected, LiveStatus, Picture, Recording, Releasing, Terms } from './terms.js';

const FORWARD: LiveStatus[] = ['queued', 'pending_payment', 'paid'];

/**
 * The model of a sale in Redis, as plain as possible: buyers come one after the other, also those of a batch. The model
 * shares no code with the scripts.
 */
export class SaleModel {
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
  /** The last ones on standby, who had strikes when they joined. */
  readonly behind = new Set<string>();
  /** The groups of those on standby, as their tokens named them. */
  readonly groups = new Map<string, string>();
  /** Refunded units that are not sold again. */
  withdrawn: number[] = [];
  readonly outbox = new Set<string>();
  readonly claims = new Map<string, ClaimRecord>();
  readonly purchases: Purchases;

  constructor(terms: Terms) {
    this.terms = terms;
    this.purchases = new Purchases(terms);
    this.units = terms.units;
    this.stock = Array.from({ length: terms.units }, (_, i) => i + 1);
  }

  /** Returns an independent copy. */
  copy(): SaleModel {
    return Object.assign(new SaleModel(this.terms), this, {
      stock: [...this.stock],
      standby: [...this.standby],
      withdrawn: [...this.withdrawn],
      behind: new Set(this.behind),
      groups: new Map(this.groups),
      outbox: new Set(this.outbox),
      claims: new Map(this.claims),
      purchases: this.purchases.copy(),
    });
  }

  claim(buyerId: string, claimId: string): Expected {
    const held = this.live(buyerId);
    if (held) return `held ${held.claimId} ${held.unit} ${held.status}`;
    if (this.state !== 'open') return `refused ${this.state}`;
    if (!this.standby.includes(buyerId)) {
      const group = this.#groupOf(buyerId);
      const strikes = strikesAt(this.claims, this.terms, buyerId);
      if (strikes > 0 && strikes >= this.terms.unpaidLimit) return 'unpaid_limit';
      const isFree = this.stock.length > 0 && this.ahead === 0;
      // A run is shorter than the time for which free units are for the others.
      if (strikes > 0 && isFree && this.standby.length === 0) return 'others_first';
      if (isFull(this.claims, this.terms, group)) return 'group_limit';
      const wins = isFree && strikes === 0;
      if (!wins && (strikes > 0 ? this.behind.size : this.ahead) >= this.cap) return 'sold_out';
      const early = this.purchases.tooSoon(buyerId);
      if (early) return early;
      if (wins) return `won ${this.#give(buyerId, { claimId, group })}`;
      this.#join(buyerId, strikes > 0);
      if (group) this.groups.set(buyerId, group);
    }
    return `standby ${this.standby.indexOf(buyerId) + 1}`;
  }

  /** The number of buyers on standby who had no strike when they joined. */
  get ahead(): number {
    return this.standby.length - this.behind.size;
  }

  #groupOf(buyerId: string): string | undefined {
    return this.terms.perGroup > 0 ? groupOf(buyerId) : undefined;
  }

  /** Returns the first on standby whose group has room. Those before leave. */
  #next(): { buyerId: string; group: string | undefined } | undefined {
    for (;;) {
      const [buyerId] = this.standby;
      if (buyerId === undefined) return undefined;
      const group = this.groups.get(buyerId);
      if (!isFull(this.claims, this.terms, group)) return { buyerId, group };
      this.#leave(buyerId);
      this.groups.delete(buyerId);
    }
  }

  #join(buyerId: string, isStruck: boolean): void {
    this.standby.splice(isStruck ? this.standby.length : this.ahead, 0, buyerId);
    if (isStruck) this.behind.add(buyerId);
  }

  #leave(buyerId: string): void {
    this.standby = this.standby.filter(other => other !== buyerId);
    this.behind.delete(buyerId);
  }

  /** Releases a claim. A unit that goes to the first on standby becomes a claim with the id `promotedAs`. */
  release({ buyerId, claimId, status, freesUnit }: Releasing, promotedAs?: string): Expected {
    this.purchases.over(buyerId, claimId);
    const held = this.live(buyerId);
    if (held?.claimId !== claimId) return 'not_held';
    const strikes = strikesIn(held) + (this.terms.unpaidLimit > 0 ? 1 : 0);
    this.claims.set(buyerId, withStrikes({ ...held, status, reason: 'unpaid' }, strikes));
    this.outbox.delete(buyerId);
    if (!freesUnit) this.withdrawn.push(held.unit);
    const first = this.state === 'open' && freesUnit ? this.#next() : undefined;
    if (first === undefined) {
      if (freesUnit) this.stock.push(held.unit);
      return 'released';
    }
    this.stock.unshift(held.unit);
    const unit = this.#give(first.buyerId, { claimId: promotedAs ?? 'nobody was promoted', group: first.group });
    return `promoted ${first.buyerId} ${unit}`;
  }

  recordStatus({ buyerId, claimId, status, payByMs, reason }: Recording): boolean {
    const claim = this.claims.get(buyerId);
    if (claim?.claimId !== claimId) return false;
    const { unit, group } = claim;
    if (isLive(claim.status) && FORWARD.indexOf(status) >= FORWARD.indexOf(claim.status as LiveStatus)) {
      const record = { claimId, unit, status, payByMs, ...(reason ? { reason } : {}), ...(group && { group }) };
      this.claims.set(buyerId, withStrikes(record, strikesIn(claim)));
      if (status === 'paid') this.purchases.over(buyerId, claimId);
    }
    this.outbox.delete(buyerId);
    return true;
  }

  promote(claimIds: string[]): Expected[] {
    const promoted: Expected[] = [];
    while (this.state === 'open' && this.stock.length > 0) {
      const first = this.#next();
      if (first === undefined) break;
      const claimId = claimIds[promoted.length] ?? 'nobody was promoted';
      promoted.push(`${first.buyerId} ${this.#give(first.buyerId, { claimId, group: first.group })}`);
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
    this.purchases.over(buyerId, claimId);
    this.turns += 1;
    return true;
  }

  /** Restores a claim that Redis may have lost. */
  restore(buyerId: string, claim: ClaimRecord): RestoreOutcome {
    const had = this.claims.get(buyerId);
    if (had?.claimId === claim.claimId) return 'held';
    if (had && isLive(had.status)) return 'other_claim';
    if (isLive(claim.status)) {
      if (!this.stock.includes(claim.unit)) return 'unit_taken';
      this.#take(buyerId, claim);
      if (claim.status !== 'paid') this.purchases.began(buyerId, claim.claimId);
    } else {
      if (had && had.claimId > claim.claimId) return 'other_claim';
      this.claims.set(buyerId, withStrikes(claim, strikesIn(had)));
      this.purchases.over(buyerId, claim.claimId);
    }
    return 'restored';
  }

  regrab(buyerId: string, endedClaimId: string, claimId: string): RegrabOutcome {
    const held = this.live(buyerId);
    const group = this.claims.get(buyerId)?.group;
    const ofGroup = group === undefined ? {} : { group };
    if (held?.claimId === claimId) return { kind: 'taken', unit: held.unit, ...ofGroup };
    if (held) return { kind: held.claimId === endedClaimId ? 'not_released' : 'other_claim' };
    if (this.claims.get(buyerId)?.claimId === claimId) return { kind: 'ended' };
    if (this.state !== 'open') return { kind: 'not_open' };
    if (this.stock.length === 0 || this.standby.length > 0) return { kind: 'sold_out' };
    if (isFull(this.claims, this.terms, group)) return { kind: 'sold_out' };
    return { kind: 'taken', unit: this.#give(buyerId, { claimId, group }), ...ofGroup };
  }

  setReason(buyerId: string, claimId: string, reason: string): void {
    const claim = this.claims.get(buyerId);
    if (claim?.claimId === claimId && !isLive(claim.status)) this.claims.set(buyerId, withReason(claim, reason));
  }

  statusOf(buyerId: string): BuyerStatus {
    const claim = this.claims.get(buyerId);
    const position = this.live(buyerId) ? 0 : this.standby.indexOf(buyerId) + 1;
    return { ...(claim && { claim }), ...(position > 0 && { position }) };
  }

  /** Corrects the number of strikes of a claim, if it is the one that was read. */
  setStrikes(
    buyerId: string,
    { claimId, strikes: seen = 0 }: Pick<ClaimRecord, 'claimId' | 'strikes'>,
    right: number,
  ): boolean {
    const claim = this.claims.get(buyerId);
    if (claim?.claimId !== claimId || strikesIn(claim) !== seen) return false;
    this.claims.set(buyerId, withStrikes(claim, right));
    return true;
  }

  setState(state: SaleState, generation: number | undefined): void {
    if (generation !== undefined && generation < this.generation) return;
    this.state = state;
    this.generation = generation ?? this.generation;
  }

  closeGate(gate: string): void {
    this.gate = gate;
    this.turns += 1;
  }

  /** Replaces the sale by an earlier state of it. A state knows of no withdrawn units, so these are free again. */
  reopen(seen: SaleModel): boolean {
    if (this.gate === '' || this.gate !== seen.gate || this.generation > seen.generation) return false;
    const { purchases, turns } = this;
    const stock = [...seen.stock, ...seen.withdrawn].toSorted((a, b) => a - b);
    Object.assign(this, seen.copy(), { purchases, turns: turns + 1, stock, withdrawn: [], gate: '' });
    this.groups.clear();
    return true;
  }

  /** Returns the refusal of a buyer who comes now, and who gets neither a unit nor a position on standby. */
  refusal(buyerId: string): 'sold_out' | 'closed' | undefined {
    const strikes = strikesIn(this.claims.get(buyerId));
    if (this.live(buyerId) || (strikes > 0 && strikes < this.terms.unpaidLimit)) return undefined;
    if (this.state === 'closed') return 'closed';
    const isFull = this.stock.length === 0 && this.ahead >= this.cap;
    return this.state === 'open' && isFull && !this.standby.includes(buyerId) ? 'sold_out' : undefined;
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
    const { units, cap, state, generation, gate, stock, claims, standby } = this;
    const { locks, pausing } = this.purchases;
    const outbox = [...this.outbox].sort();
    return { units, cap, state, generation, gate, stock, claims, outbox, standby, locks, pausing };
  }

  #give(buyerId: string, { claimId, group }: { claimId: string; group: string | undefined }): number {
    const unit = this.stock[0] as number;
    this.#take(buyerId, { claimId, unit, status: 'queued', ...(group && { group }) });
    this.groups.delete(buyerId);
    this.purchases.began(buyerId, claimId);
    return unit;
  }

  #take(buyerId: string, claim: ClaimRecord): void {
    this.stock.splice(this.stock.indexOf(claim.unit), 1);
    this.claims.set(buyerId, withStrikes(claim, strikesIn(this.claims.get(buyerId))));
    if (claim.status === 'queued') this.outbox.add(buyerId);
    this.#leave(buyerId);
  }
}
