import { rateLimitFields } from '#core/http/rate-limit-fields.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { LimitKind } from '../http/limit-kind.js';
import { PreparedProblem } from '../http/problem.js';
import { type Figure, refillMs } from './limit.js';

/** Prepares the 429 of one limit, as a flood of one buyer must cost little. */
export class OverLimit {
  readonly #kind: LimitKind;
  readonly #figure: Figure;
  readonly #bySeconds = new Map<number, PreparedProblem>();

  constructor(kind: LimitKind, figure: Figure) {
    this.#kind = kind;
    this.#figure = figure;
  }

  /**
   * Returns the problem for a buyer who has to wait.
   *
   * @param waitMs the time until the limit allows a request, in ms
   */
  after(waitMs: number): PreparedProblem {
    const seconds = Math.ceil(waitMs / SECOND_MS);
    let problem = this.#bySeconds.get(seconds);
    if (!problem) {
      problem = this.#prepare(seconds);
      this.#bySeconds.set(seconds, problem);
    }
    return problem;
  }

  #prepare(seconds: number): PreparedProblem {
    const { burst, perSecond } = this.#figure;
    const detail = `${this.#kind} of one buyer: ${burst} at once, then ${perSecond} a second`;
    const windowSeconds = Math.ceil(refillMs(this.#figure) / SECOND_MS);
    return new PreparedProblem(
      'too_many_requests',
      { detail, retryAfterSeconds: seconds },
      rateLimitFields({ name: this.#kind, quota: burst, windowSeconds, waitSeconds: seconds }),
    );
  }
}
