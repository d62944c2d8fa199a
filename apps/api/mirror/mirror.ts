import type { BuyerChange, Change } from '#core/redis/feed/changes.js';
import type { Pulse } from '#core/redis/feed/pulse.js';
import type { Standing } from '#core/redis/sale/standing.js';
import { isLive, parseClaimRecord } from '#core/rules/claim.js';
import { BuyerSet, keyOf } from './buyer-set.js';

/**
 * How long a mirror may answer after Redis has confirmed the sale's version, in ms. The feed asks Redis every 500 ms,
 * so one late round costs nothing. A process that was stopped, or whose connection became silent, does not answer from
 * memory.
 */
const CONFIRMED_FOR_MS = 1_000;

/** Why a buyer without a claim gets nothing, in the words of the script `claim.lua`. */
export type Refusal = 'sold_out' | 'closed';

/**
 * A mirror: a copy in memory of the buyers of one sale with a claim or on standby. It is valid as long as it gets every
 * change in order.
 *
 * A mirror can only refuse buyers. It does so while the sale is closed, or has neither a free unit nor room on standby for buyers without
 * a strike.
 * It gives out nothing, and refuses no buyer whom Redis would have served at the same version of the sale. Buyers who
 * hold a claim are left to Redis: their claim may have ended a moment ago. So a buyer who is taken for another one, as both have
 * the same key, is left to Redis, too.
 */
export class Mirror {
  /**
   * The buyers about whom only Redis decides: those with a live claim, and those with strikes, for whom there may be room behind
   * all others. Any other claim that has ended makes no difference to its buyer's next click.
   */
  readonly #holders: BuyerSet;
  readonly #standby: BuyerSet;
  /**
   * The highest version of the sale that Redis has reported. The mirror answers nothing until it has reached that
   * version.
   */
  #needed: number;
  /**
   * Until when the mirror may answer, by {@link performance.now}, in ms. Before the first {@link confirm}, it answers
   * nothing.
   */
  #goodUntilMs = 0;
  #standing: Omit<Standing, 'state'> & Pick<Change, 'state'>;
  /**
   * Redis's clock minus {@link performance.now}, in ms. The wall clock of this machine is not used, as a change of it
   * must not close a sale.
   */
  #clockOffsetMs: number;
  /** Why buyers are refused at present. It is computed at each change, and not at each of the many requests. */
  #refusal: Refusal | undefined;

  constructor(standing: Standing) {
    this.#holders = new BuyerSet(standing.claims);
    this.#standby = new BuyerSet(standing.waiting);
    this.#standing = standing;
    this.#needed = standing.version;
    this.#clockOffsetMs = standing.nowMs - performance.now();
  }

  /**
   * Sets the claim or standby of one buyer. The value is of the mirror's version, or newer if its change has not
   * arrived yet.
   */
  setBuyer(buyer: BuyerChange): void {
    switch (buyer.kind) {
      case 'claim':
        if (this.#isDecidedByRedis(buyer.record)) this.#holders.add(keyOf(buyer.buyerId));
        else this.#holders.delete(keyOf(buyer.buyerId));
        return;
      case 'joined':
        this.#standby.add(keyOf(buyer.buyerId));
        return;
      case 'left':
        this.#standby.delete(keyOf(buyer.buyerId));
    }
  }

  /**
   * Applies the next change of the sale. A change that the mirror contains already is a no-op.
   *
   * @returns false if earlier changes were missed or the sale is not verified: then the mirror must be dropped
   */
  apply(change: Change): boolean {
    if (change.version <= this.#standing.version) return true;
    if (change.since > this.#standing.version + 1 || change.state === 'unverified') return false;
    for (const buyer of change.buyers) this.setBuyer(buyer);
    const { version, free = this.#standing.free, waiting = this.#standing.waiting, standbyCap, state } = change;
    this.#standing = { ...this.#standing, version, free, waiting, standbyCap, state };
    this.#decide();
    return true;
  }

  /**
   * Sets the sale's version and clock as Redis just reported them. For another {@link CONFIRMED_FOR_MS}, the mirror may
   * then refuse buyers.
   */
  confirm({ version, nowMs, askedAtMs }: Pick<Pulse, 'version' | 'nowMs' | 'askedAtMs'>): void {
    this.#needed = Math.max(this.#needed, version);
    this.#goodUntilMs = askedAtMs + CONFIRMED_FOR_MS;
    this.#clockOffsetMs = nowMs - performance.now();
    this.#decide();
  }

  #isDecidedByRedis(record: string): boolean {
    const { status, strikes = 0 } = parseClaimRecord(record);
    return isLive(status) || (strikes > 0 && strikes < this.#standing.unpaidLimit);
  }

  /** Returns why this buyer gets nothing at present, or undefined when only Redis can tell. */
  refusalOf(buyerId: string): Refusal | undefined {
    if (this.#refusal === undefined) return undefined;
    const nowMs = performance.now();
    if (nowMs > this.#goodUntilMs) return undefined;
    const key = keyOf(buyerId);
    if (this.#holders.has(key)) return undefined;
    if (this.#refusal === 'closed') return 'closed';
    // From the sale's estimated end on, Redis decides until the mirror computes its refusal again. Redis also knows the
    // positions of buyers on standby.
    const endsAtMs = this.#standing.closesAtMs - this.#clockOffsetMs;
    return nowMs >= endsAtMs || this.#standby.has(key) ? undefined : 'sold_out';
  }

  #decide(): void {
    const { version, state, free, waiting, standbyCap, opensAtMs, announceAtMs } = this.#standing;
    const nowMs = this.#clockOffsetMs + performance.now();
    const isOver = nowMs > this.#standing.closesAtMs;
    this.#refusal = undefined;
    if (this.#needed > version) return;
    // Redis and the sale's look-up answer for a hidden sale, which may be closed already.
    if (nowMs < announceAtMs) return;
    if (state === 'closed' || isOver) this.#refusal = 'closed';
    else if (state === 'open' && free === 0 && waiting >= standbyCap && nowMs > opensAtMs) this.#refusal = 'sold_out';
  }
}
