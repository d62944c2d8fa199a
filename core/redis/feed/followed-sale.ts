import type { Change } from './changes.js';
import type { Pulse } from './pulse.js';

/** Told of one sale, in the order of its changes. Nothing here may throw. */
export interface Listener {
  changed(change: Change): void;
  /** The feed listens from now on; what happened before was perhaps not heard. */
  listening(): void;
  /** Changes may be missed from now on, until {@link listening}. */
  deaf(): void;
  /** What Redis counts by now; what was told of it may still be on its way. */
  looked?(pulse: Omit<Pulse, 'published'>): void;
}

/** A sale that the feed follows: who is told, and whether all that Redis counts is heard. */
export class FollowedSale {
  readonly #listeners = new Set<Listener>();
  #hearing = false;
  /** The highest `published` heard. */
  #heard = 0;
  /** What must have been heard by the next look. */
  #due = 0;
  #idleSinceMs = 0;

  get hearing(): boolean {
    return this.#hearing;
  }

  /** For how long nobody has wanted to be told, in ms. */
  get idleMs(): number {
    return this.#listeners.size > 0 ? 0 : performance.now() - this.#idleSinceMs;
  }

  /** @returns a function that ends it */
  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#idleSinceMs = performance.now();
    };
  }

  /** It was subscribed to. */
  listen(): void {
    this.#hearing = true;
    this.#heard = 0;
    this.#due = 0;
    for (const listener of this.#listeners) listener.listening();
  }

  hear(change: Change): void {
    this.#heard = Math.max(this.#heard, change.published);
    for (const listener of this.#listeners) listener.changed(change);
  }

  goDeaf(): void {
    if (!this.#hearing) return;
    this.#hearing = false;
    for (const listener of this.#listeners) listener.deaf();
  }

  /**
   * Compares what was heard with what Redis counts.
   *
   * @param pulse what Redis counts
   * @returns false when it turns out to be deaf
   */
  look(pulse: Pulse): boolean {
    const missed = this.#hearing && this.#heard < this.#due;
    // The first look after subscribing tells where the count stands.
    if (this.#heard === 0) this.#heard = pulse.published;
    this.#due = pulse.published;
    if (missed) this.goDeaf();
    for (const listener of this.#listeners) listener.looked?.(pulse);
    return !missed;
  }
}
