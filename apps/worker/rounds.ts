import { SECOND_MS } from '#core/rules/clock.js';

/**
 * The longest round, in ms. Every call in a round has a deadline of seconds. A round through a million orders takes
 * less, and so do a hundred calls to a provider that never answers. A longer round hangs.
 */
export const ROUND_MS = 600 * SECOND_MS;

/** The rounds in flight in this process, one per actor. */
export class Rounds {
  readonly #running = new Map<string, { round: Promise<boolean>; beganAtMs: number }>();

  /**
   * Begins a round, or joins the actor's round in flight. So a round that exceeds its interval is not doubled.
   *
   * @param run must not throw
   * @returns the result of the round
   */
  begin(actor: string, run: () => Promise<boolean>): Promise<boolean> {
    const inFlight = this.#running.get(actor);
    if (inFlight) return inFlight.round;
    const round = run().finally(() => this.#running.delete(actor));
    this.#running.set(actor, { round, beganAtMs: performance.now() });
    return round;
  }

  /** Waits for an actor's round in flight, if there is one. */
  async ended(actor: string): Promise<void> {
    await this.#running.get(actor)?.round;
  }

  /** Waits for all rounds in flight. */
  async allEnded(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ round }) => round));
  }

  /**
   * Returns the actors whose round hangs.
   *
   * @param nowMs the present time by `performance.now()`, in ms
   */
  overdue(nowMs = performance.now()): string[] {
    return [...this.#running].flatMap(([actor, { beganAtMs }]) => (nowMs - beganAtMs > ROUND_MS ? [actor] : []));
  }
}
