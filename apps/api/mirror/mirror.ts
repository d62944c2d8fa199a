import type { BuyerChange, Change } from '#core/redis/feed/changes.js';
import type { Pulse } from '#core/redis/feed/pulse.js';
import type { Standing } from '#core/redis/sale/standing.js';
import { isLive, parseClaimRecord } from '#core/rules/claim.js';

/**
 * A mirror answers for this long after Redis has confirmed it, in ms. The feed asks Redis every 500 ms, so one late round
 * costs nothing. A process that was stopped, or whose connection went silent, does not answer from memory.
 */
const CONFIRMED_FOR_MS = 1_000;

/** Why a buyer without a claim gets nothing, in the words of the claim script. */
export type Refusal = 'sold_out' | 'closed';

/**
 * A copy of the buyers of one sale, with a claim or on standby. It is valid as long as it gets every change in order.
 *
 * A mirror only refuses: while the sale is closed, or has neither a free unit nor room on standby. So it gives out
 * nothing, and refuses nobody whom Redis would have served at the same version. Buyers who hold a claim are left to
 * Redis: their claim may have ended a moment ago.
 */
export class Mirror {
  /** Buyers with a live claim. A claim that has ended makes no difference to its buyer's next click. */
  readonly #holders = new Set<string>();
  readonly #standby = new Set<string>();
  /** The highest version that Redis was seen to count. The mirror answers nothing until it has that version. */
  #needed: number;
  /** By {@link performance.now}, in ms. Before the first {@link confirm}, nothing is answered. */
  #goodUntilMs = 0;
  #standing: Omit<Standing, 'state'> & Pick<Change, 'state'>;
  /** Redis's clock minus {@link performance.now}, in ms. The machine's own clock may be set, and must not close a sale. */
  #clockOffsetMs: number;
  /** Computed at each change, as every request asks for it. */
  #refusal: Refusal | undefined;

  constructor(standing: Standing) {
    this.#standing = standing;
    this.#needed = standing.version;
    this.#clockOffsetMs = standing.nowMs - performance.now();
  }

  /** Sets one buyer as they are at the mirror's version, or at a version whose change is still to come. */
  setBuyer(buyer: BuyerChange): void {
    switch (buyer.kind) {
      case 'claim':
        if (isLive(parseClaimRecord(buyer.record).status)) this.#holders.add(buyer.buyerId);
        else this.#holders.delete(buyer.buyerId);
        return;
      case 'joined':
        this.#standby.add(buyer.buyerId);
        return;
      case 'left':
        this.#standby.delete(buyer.buyerId);
    }
  }

  /**
   * Applies the next change. A change that the mirror has already is a no-op.
   *
   * @returns false when changes before this one were missed: then the mirror is invalid for good
   */
  apply(change: Change): boolean {
    if (change.version <= this.#standing.version) return true;
    if (change.version !== this.#standing.version + 1 || change.state === 'unverified') return false;
    for (const buyer of change.buyers) this.setBuyer(buyer);
    const { version, free = this.#standing.free, waiting = this.#standing.waiting, standbyCap, state } = change;
    this.#standing = { ...this.#standing, version, free, waiting, standbyCap, state };
    this.#decide();
    return true;
  }

  /** Takes the version and the clock that Redis has just told, and answers for another {@link CONFIRMED_FOR_MS}. */
  confirm({ version, nowMs, askedAtMs }: Pick<Pulse, 'version' | 'nowMs' | 'askedAtMs'>): void {
    this.#needed = Math.max(this.#needed, version);
    this.#goodUntilMs = askedAtMs + CONFIRMED_FOR_MS;
    this.#clockOffsetMs = nowMs - performance.now();
    this.#decide();
  }

  /** Returns why this buyer gets nothing now, or undefined when only Redis can tell. */
  refusalOf(buyerId: string): Refusal | undefined {
    if (this.#refusal === undefined || this.#holders.has(buyerId)) return undefined;
    const nowMs = performance.now();
    if (nowMs > this.#goodUntilMs) return undefined;
    if (this.#refusal === 'closed') return 'closed';
    // The sale ends by Redis's clock, so Redis decides about its last moments. It also knows the positions on standby.
    const endsAtMs = this.#standing.closesAtMs - this.#clockOffsetMs;
    return nowMs >= endsAtMs || this.#standby.has(buyerId) ? undefined : 'sold_out';
  }

  #decide(): void {
    const { version, state, free, waiting, standbyCap, opensAtMs } = this.#standing;
    const isOver = this.#clockOffsetMs + performance.now() > this.#standing.closesAtMs;
    this.#refusal = undefined;
    if (this.#needed > version) return;
    if (state === 'closed' || isOver) this.#refusal = 'closed';
    else if (
      state === 'open' &&
      free === 0 &&
      waiting >= standbyCap &&
      performance.now() + this.#clockOffsetMs > opensAtMs
    ) {
      this.#refusal = 'sold_out';
    }
  }
}
