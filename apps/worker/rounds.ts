import { SECOND_MS } from '#core/rules/clock.js';

/**
 * The longest round of a maintenance actor, in ms; a longer one hangs. Every call in a round has a deadline of seconds.
 * A round through a million orders takes less. So do a hundred calls to a payment provider that never answers.
 */
export const ROUND_MS = 600 * SECOND_MS;

/** The rounds of maintenance actors (recurring tasks) that are in flight in this process, at most one per actor. */
export class Rounds {
  readonly #running = new Map<string, { round: Promise<boolean>; beganAtMs: number }>();

  /**
   * Begins a round of a maintenance actor, or joins the actor's round in flight. So a round that exceeds its interval
   * is not doubled.
   *
   * @param run runs the round; must not throw
   * @returns whether this process ran the round to its end, as `run` reports it
   */
  begin(actor: string, run: () => Promise<boolean>): Promise<boolean> {
    const inFlight = this.#running.get(actor);
    if (inFlight) return inFlight.round;
    const round = run().finally(() => this.#running.delete(actor));
    this.#running.set(actor, { round, beganAtMs: performance.now() });
    return round;
  }

  /** Waits until the round in flight of a maintenance actor has ended, if there is one. */
  async ended(actor: string): Promise<void> {
    await this.#running.get(actor)?.round;
  }

  /** Waits until the rounds in flight of all maintenance actors have ended. */
  async allEnded(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ round }) => round));
  }

  /**
   * Returns the maintenance actors whose round hangs: it is in flight for longer than ROUND_MS.
   *
   * @param nowMs the present time by `performance.now()`, in ms
   */
  overdue(nowMs = performance.now()): string[] {
    return [...this.#running].flatMap(([actor, { beganAtMs }]) => (nowMs - beganAtMs > ROUND_MS ? [actor] : []));
  }
}
