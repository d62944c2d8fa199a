import { SECOND_MS } from '#core/rules/clock.js';

/**
 * What a round may take, in ms. Every call in it ends within seconds, and one that goes through a million orders, or gives up on
 * a hundred calls of a provider that is silent, is done by then: what takes longer hangs.
 */
export const ROUND_MS = 600 * SECOND_MS;

/** The rounds of the actors that are under way in this process, by actor. */
export class Rounds {
  readonly #running = new Map<string, { round: Promise<boolean>; beganAtMs: number }>();

  /**
   * Begins a round, or joins the one that is under way: one that takes longer than its interval is not doubled.
   *
   * @param actor its name
   * @param run the round; must not throw
   * @returns what came of it
   */
  begin(actor: string, run: () => Promise<boolean>): Promise<boolean> {
    const underWay = this.#running.get(actor);
    if (underWay) return underWay.round;
    const round = run().finally(() => this.#running.delete(actor));
    this.#running.set(actor, { round, beganAtMs: performance.now() });
    return round;
  }

  /** @returns once the round of an actor that is under way has ended */
  async ended(actor: string): Promise<void> {
    await this.#running.get(actor)?.round;
  }

  /** @returns once no round is under way */
  async allEnded(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ round }) => round));
  }

  /**
   * @param nowMs the time, by the process's own clock, in ms
   * @returns the actors whose round hangs
   */
  overdue(nowMs = performance.now()): string[] {
    return [...this.#running].flatMap(([actor, { beganAtMs }]) => (nowMs - beganAtMs > ROUND_MS ? [actor] : []));
  }
}
