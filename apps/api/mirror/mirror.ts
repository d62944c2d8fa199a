import type { BuyerChange, Change } from '#core/redis/feed/changes.js';
import type { Pulse } from '#core/redis/feed/pulse.js';
import type { Standing } from '#core/redis/sale/standing.js';
import { isLive, parseClaimRecord } from '#core/rules/claim.js';

/**
 * What it says is so old at most, in ms. The feed looks every 500 ms, so a look that is late costs nothing; but a process that was
 * stopped, or whose connection went silent, has nothing to say.
 */
const OLDEST_MS = 1_000;

/** Why a buyer who holds nothing gets nothing, as the claim script would say it. */
export type Refusal = 'sold_out' | 'closed';

/**
 * A copy of who holds a claim and who is in line, good for as long as every change is heard. It refuses only while a sale has
 * no room at all: no free unit, no place in line, or it is closed. So it never gives out anything, and never says no to somebody
 * to whom Redis would have said yes at the version it stands for. What holders hold, Redis tells: it may just have ended.
 */
export class Mirror {
  /** Who has a live claim. Those that ended make no difference to a buyer who comes again. */
  readonly #holders = new Set<string>();
  readonly #line = new Set<string>();
  /** What Redis was seen to count, though it wasn't told yet: until it is, nothing is answered. */
  #needed: number;
  /** By {@link performance.now}; it says nothing before {@link expect} was called. */
  #goodUntilMs = 0;
  #standing: Omit<Standing, 'state'> & Pick<Change, 'state'>;
  /** From our own clock, one that never jumps: who sets the time of this machine must not close a sale. */
  #clockOffsetMs: number;
  /** Kept ready, as every request asks. */
  #refusal: Refusal | undefined;

  constructor(standing: Standing) {
    this.#standing = standing;
    this.#needed = standing.version;
    this.#clockOffsetMs = standing.nowMs - performance.now();
  }

  /** @param buyer as it is at this version, or at one whose change is still to come */
  take(buyer: BuyerChange): void {
    switch (buyer.kind) {
      case 'claim':
        if (isLive(parseClaimRecord(buyer.record).status)) this.#holders.add(buyer.buyerId);
        else this.#holders.delete(buyer.buyerId);
        return;
      case 'joined':
        this.#line.add(buyer.buyerId);
        return;
      case 'left':
        this.#line.delete(buyer.buyerId);
    }
  }

  /**
   * @param change the next change; one that it knows already does nothing
   * @returns false when changes before this one were missed: then the copy is good for nothing any more
   */
  apply(change: Change): boolean {
    if (change.version <= this.#standing.version) return true;
    if (change.version !== this.#standing.version + 1 || change.state === 'unverified') return false;
    for (const buyer of change.buyers) this.take(buyer);
    const { version, free = this.#standing.free, waiting = this.#standing.waiting, standbyCap, state } = change;
    this.#standing = { ...this.#standing, version, free, waiting, standbyCap, state };
    this.#decide();
    return true;
  }

  /** @param pulse what Redis counts, and when it was asked */
  expect({ version, nowMs, askedAtMs }: Pick<Pulse, 'version' | 'nowMs' | 'askedAtMs'>): void {
    this.#needed = Math.max(this.#needed, version);
    this.#goodUntilMs = askedAtMs + OLDEST_MS;
    this.#clockOffsetMs = nowMs - performance.now();
    this.#decide();
  }

  /** @returns why this buyer gets nothing now; undefined when only Redis knows */
  refusalOf(buyerId: string): Refusal | undefined {
    if (this.#refusal === undefined || this.#holders.has(buyerId)) return undefined;
    const nowMs = performance.now();
    if (nowMs > this.#goodUntilMs) return undefined;
    if (this.#refusal === 'closed') return 'closed';
    // Redis is asked about the last moments, as its clock decides. Those in line want to know their position.
    const endsAtMs = this.#standing.closesAtMs - this.#clockOffsetMs;
    return nowMs >= endsAtMs || this.#line.has(buyerId) ? undefined : 'sold_out';
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
