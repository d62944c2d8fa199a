import { ask } from '../api.js';

/**
 * How far the pass of this visitor is. `asking`: the API is asked. `solving`: the browser works for it. `ready`: it is here. `none`: it is
 * not needed yet, or could not be had.
 *
 * @typedef {'none' | 'asking' | 'solving' | 'ready'} PassState
 */

/** The API gives passes from this long before buyers may click, in ms. */
const LEAD_MS = 60_000;

/** Pages ask at a random moment of this time, in ms, so that a crowd does not ask at once. It leaves time to work for the pass. */
const SPREAD_MS = 25_000;

/** A pass is renewed this long before its end, or up to twice as long, in ms. */
const RENEW_MS = 60_000;

/** The pause after a failure, or up to twice as long, in ms. */
const PAUSE_MS = 5_000;

/** The time in which a challenge must be solved, in ms. The API allows a little more. */
const SOLVE_MS = 280_000;

/** Answer to a click whose pass the browser could not work for. */
const UNSOLVED = { ok: false, status: 403, code: 'no_pass', retryAfterMs: 0 };

/** Gets the passes of a sale for the visitor: before the moment of the first click, and again before they expire. */
export class Passes {
  /** @type {PassState} */
  state = 'none';
  #saleId;
  #parts;
  #held;
  /** @type {Promise<import('../api.js').Answer> | undefined} */
  #getting;
  #dueAtMs;
  #isGreeted = false;

  /**
   * Creates them without a pass.
   *
   * @param {string} saleId
   * @param {{nowMs: () => number, onChange: () => void, solve?: typeof solveInWorker}} parts `nowMs` is the server's time; `onChange` is
   *   called when `state` has changed
   */
  constructor(saleId, { solve = solveInWorker, ...parts }) {
    this.#saleId = saleId;
    this.#parts = { ...parts, solve };
  }

  /**
   * Gets a pass if it is time for one. Call it again and again.
   *
   * @param {{joinsAtMs?: number, opensAtMs: number}} sale
   */
  follow({ joinsAtMs, opensAtMs }) {
    this.#dueAtMs ??= (joinsAtMs ?? opensAtMs) - LEAD_MS + Math.random() * SPREAD_MS;
    if (!this.#getting && this.#parts.nowMs() >= this.#dueAtMs) void this.#getAhead();
  }

  /**
   * Returns the visitor's pass, or waits for it.
   *
   * @returns {Promise<{pass?: string, failure?: import('../api.js').Answer}>}
   */
  async take() {
    if (this.#hasPass()) return { pass: this.#held.pass };
    const answer = await this.#getOnce();
    return answer.ok ? { pass: this.#held.pass } : { failure: answer };
  }

  /** Forgets a pass that the API has refused. */
  drop() {
    this.#held = undefined;
  }

  #hasPass() {
    return this.#held !== undefined && this.#parts.nowMs() < this.#held.untilMs;
  }

  /** Gets a pass ahead. A guest becomes a buyer for it; a visitor who has to sign in is asked to at the click. */
  async #getAhead() {
    const { status } = await this.#getOnce();
    if (status !== 401) return;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    if (this.#isGreeted) return;
    this.#isGreeted = true;
    if ((await ask('token', this.#saleId)).ok) await this.#getOnce();
  }

  #getOnce() {
    this.#getting ??= this.#get();
    return this.#getting;
  }

  async #get() {
    const { nowMs } = this.#parts;
    const answer = await this.#request();
    if (answer.ok) {
      const untilMs = Date.parse(answer.body.validUntil);
      this.#held = { pass: answer.body.pass, untilMs };
      this.#dueAtMs = untilMs - RENEW_MS * (1 + Math.random());
    } else this.#dueAtMs = nowMs() + Math.max(answer.retryAfterMs ?? 0, PAUSE_MS) * (1 + Math.random());
    this.#getting = undefined;
    this.#learn(this.#hasPass() ? 'ready' : 'none');
    return answer;
  }

  /** Asks for a pass, and works for it if the API wants that. */
  async #request() {
    this.#learn('asking');
    const answer = await ask('pass', this.#saleId);
    if (!answer.ok || !answer.body.challenge) return answer;
    this.#learn('solving');
    // A browser without workers of this kind throws here.
    const solution = await this.#parts.solve(answer.body.challenge).catch(() => undefined);
    return solution === undefined ? UNSOLVED : ask('pass', this.#saleId, { solution });
  }

  #learn(state) {
    this.state = state;
    this.#parts.onChange();
  }
}

/**
 * Solves a challenge in a worker.
 *
 * @returns {Promise<string | undefined>} undefined when this browser cannot, or not in time
 */
function solveInWorker(challenge) {
  return new Promise(resolve => {
    const worker = new Worker('/assets/pass/solver.js', { type: 'module' });
    const end = solution => {
      worker.terminate();
      resolve(solution);
    };
    worker.addEventListener('error', () => end(undefined));
    worker.addEventListener('message', ({ data }) => end(data.solution));
    worker.postMessage({ challenge, limitMs: SOLVE_MS });
  });
}
