import type { Change } from './changes.js';
import type { Pulse } from './pulse.js';

/** Receives the changes of one sale in sequence. No method may throw. */
export interface Listener {
  changed(change: Change): void;
  /** Called when the feed starts to receive. Earlier changes may have been missed. */
  listening(): void;
  /** Called when changes may be missed, until {@link listening}. */
  deaf(): void;
  /** Receives the counts of Redis. Messages for them may still be in flight. */
  looked?(pulse: Omit<Pulse, 'published'>): void;
}

/** A sale that the feed follows: its listeners, and whether all messages were received. */
export class FollowedSale {
  readonly #listeners = new Set<Listener>();
  #hearing = false;
  /** The highest `published` received. */
  #heard = 0;
  /** The `published` that must have been received by the next comparison. */
  #due = 0;
  #idleSinceMs = 0;

  get hearing(): boolean {
    return this.#hearing;
  }

  /** Time since the last listener left, in ms. */
  get idleMs(): number {
    return this.#listeners.size > 0 ? 0 : performance.now() - this.#idleSinceMs;
  }

  /**
   * Adds a listener.
   *
   * @returns a function that removes the listener
   */
  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#idleSinceMs = performance.now();
    };
  }

  /** Called when the channel is subscribed. */
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
   * Compares the messages received with the counts of Redis.
   *
   * @returns false when messages were missed
   */
  look(pulse: Pulse): boolean {
    const missed = this.#hearing && this.#heard < this.#due;
    // The first comparison after subscribing sets the start of the count.
    if (this.#heard === 0) this.#heard = pulse.published;
    this.#due = pulse.published;
    if (missed) this.goDeaf();
    for (const listener of this.#listeners) listener.looked?.(pulse);
    return !missed;
  }
}
