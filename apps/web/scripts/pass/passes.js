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

/**
 * Creates what gets the passes of a sale for the visitor: before the moment of the first click, and again before they expire.
 *
 * @param {string} saleId
 * @param {{nowMs: () => number, onChange: () => void, solve?: typeof solveInWorker}} parts `nowMs` is the server's time
 */
export function createPasses(saleId, { nowMs, onChange, solve = solveInWorker }) {
  const known = { /** @type {PassState} */ state: 'none' };
  let held;
  /** @type {Promise<import('../api.js').Answer> | undefined} */
  let getting;
  let dueAtMs;
  let isGreeted = false;

  const learn = state => {
    known.state = state;
    onChange();
  };

  /** Asks for a pass, and works for it if the API wants that. */
  async function request() {
    learn('asking');
    const answer = await ask('pass', saleId);
    if (!answer.ok || !answer.body.challenge) return answer;
    learn('solving');
    // A browser without workers of this kind throws here.
    const solution = await solve(answer.body.challenge).catch(() => undefined);
    return solution === undefined ? UNSOLVED : ask('pass', saleId, { solution });
  }

  async function get() {
    const answer = await request();
    if (answer.ok) {
      const untilMs = Date.parse(answer.body.validUntil);
      held = { pass: answer.body.pass, untilMs };
      dueAtMs = untilMs - RENEW_MS * (1 + Math.random());
    } else dueAtMs = nowMs() + Math.max(answer.retryAfterMs, PAUSE_MS) * (1 + Math.random());
    getting = undefined;
    learn(hasPass() ? 'ready' : 'none');
    return answer;
  }

  const hasPass = () => held !== undefined && nowMs() < held.untilMs;

  function getOnce() {
    getting ??= get();
    return getting;
  }

  /** Gets a pass ahead. A guest becomes a buyer for it; a visitor who has to sign in is asked to at the click. */
  async function getAhead() {
    const { status } = await getOnce();
    if (status !== 401) return;
    dueAtMs = Number.POSITIVE_INFINITY;
    if (isGreeted) return;
    isGreeted = true;
    if ((await ask('token', saleId)).ok) await getOnce();
  }

  return {
    known,

    /**
     * Gets a pass if it is time for one. Call it again and again.
     *
     * @param {{joinsAtMs?: number, opensAtMs: number}} sale
     */
    follow({ joinsAtMs, opensAtMs }) {
      dueAtMs ??= (joinsAtMs ?? opensAtMs) - LEAD_MS + Math.random() * SPREAD_MS;
      if (!getting && nowMs() >= dueAtMs) void getAhead();
    },

    /**
     * Returns the visitor's pass, or waits for it.
     *
     * @returns {Promise<{pass: string} | {failure: import('../api.js').Answer}>}
     */
    async take() {
      if (hasPass()) return { pass: held.pass };
      const answer = await getOnce();
      return answer.ok ? { pass: held.pass } : { failure: answer };
    },

    /** Forgets a pass that the API has refused. */
    drop() {
      held = undefined;
    },
  };
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
