import type { Change } from './changes.js';
import type { Pulse } from './pulse.js';

/** Receives the changes of one sale from the feed, in sequence. No method may throw. */
export interface Listener {
  changed(change: Change): void;
  /** Called when the feed starts to receive the sale's changes. Earlier changes may have been missed. */
  listening(): void;
  /** Called when the feed may miss changes of the sale, until it calls {@link listening} again. */
  deaf(): void;
  /**
   * Receives the sale's counters, which the feed reads from Redis. Messages about changes that they count may still be
   * in flight.
   */
  looked?(pulse: Omit<Pulse, 'published'>): void;
}

/** A sale that the feed follows: its listeners, and whether all messages about it were received. */
export class FollowedSale {
  readonly #listeners = new Set<Listener>();
  #hearing = false;
  /** The highest message count (`published`) in a received message. */
  #heard = 0;
  /**
   * The message count (`published`) in Redis at the last comparison. Messages up to it must arrive before the next
   * comparison.
   */
  #due = 0;
  #idleSinceMs = 0;

  get hearing(): boolean {
    return this.#hearing;
  }

  /** Time since the sale's last listener left, in ms; 0 while it has one. */
  get idleMs(): number {
    return this.#listeners.size > 0 ? 0 : performance.now() - this.#idleSinceMs;
  }

  /**
   * Adds a listener for the sale's changes.
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

  /** Called when Redis has confirmed the subscription to the sale's channel. */
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
   * Compares the messages received about the sale with the message count in Redis.
   *
   * @returns false when messages were missed
   */
  look(pulse: Pulse): boolean {
    const missed = this.#hearing && this.#heard < this.#due;
    // The first comparison after subscribing sets the start of the count, so earlier messages do not count as missed.
    if (this.#heard === 0) this.#heard = pulse.published;
    this.#due = pulse.published;
    if (missed) this.goDeaf();
    for (const listener of this.#listeners) listener.looked?.(pulse);
    return !missed;
  }
}
