import type { Change } from './changes.js';
import type { Pulse } from './pulse.js';

/**
 * How long after a message the feed asks for the changes that came too soon after it, in ms: a little longer than scripts
 * gather them (lua/include/changes.lua).
 */
const ASK_AFTER_MS = 25;

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
  readonly #ask: () => void;
  #asking: NodeJS.Timeout | undefined;
  #hearing = false;
  /** The highest count (`published`) of a received change. */
  #heard = 0;
  /** The count (`published`) in Redis at the last comparison. Changes up to it must arrive before the next comparison. */
  #due = 0;
  #idleSinceMs = 0;

  /**
   * Creates a sale without listeners.
   *
   * @param ask asks Redis to send the changes that wait for the next message
   */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

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
    // A message just before the subscription may hold up the next change.
    this.#askSoon();
    for (const listener of this.#listeners) listener.listening();
  }

  /** Passes a message on. Later changes may wait for another message, so it is asked for after a moment. */
  hear(change: Change): void {
    this.#heard = Math.max(this.#heard, change.published);
    for (const listener of this.#listeners) listener.changed(change);
    this.#askSoon();
  }

  #askSoon(): void {
    if (this.#asking) this.#asking.refresh();
    else this.#asking = setTimeout(this.#ask, ASK_AFTER_MS);
  }

  /** Called when the sale is not followed any more. */
  stop(): void {
    clearTimeout(this.#asking);
  }

  goDeaf(): void {
    if (!this.#hearing) return;
    this.#hearing = false;
    for (const listener of this.#listeners) listener.deaf();
  }

  /**
   * Compares the changes received of the sale with their count in Redis. Those that are missing are asked for.
   *
   * @returns false when messages were missed
   */
  look(pulse: Pulse): boolean {
    const missed = this.#hearing && this.#heard < this.#due;
    // The first comparison after subscribing sets the start of the count, so earlier messages do not count as missed.
    if (this.#heard === 0) this.#heard = pulse.published;
    this.#due = pulse.published;
    if (missed) this.goDeaf();
    else if (this.#hearing && pulse.published > this.#heard) this.#ask();
    for (const listener of this.#listeners) listener.looked?.(pulse);
    return !missed;
  }
}
