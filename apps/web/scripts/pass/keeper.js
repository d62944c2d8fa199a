import { ask } from '../api.js';
import { solve } from './solve.js';

/**
 * Gets the visitor's pass in time, and keeps it.
 *
 * @typedef {import('../api.js').Answer} Answer
 * @typedef {{step: 'none' | 'working' | 'ready', share: number}} PassState `share` is the part of the work that is done,
 *   0 to 1. The work may be over earlier
 */

/** A crowd asks for its passes within this time, in ms. */
const SPREAD_MS = 60_000;
/** How long before its end a pass is renewed, in ms. */
const RENEW_MS = 60_000;
/** The time that a click needs to the API, in ms. A pass that ends earlier is not sent. */
const CLICK_MS = 2_000;
/** When the keeper asks again after an answer that waiting does not change. A click asks anyway. */
const NEVER = Number.POSITIVE_INFINITY;
/** The shortest pause after a failure, in ms. */
const PAUSE_MS = 5_000;

/**
 * Creates the keeper of a visitor's pass.
 *
 * @param {string} saleId
 * @param {{nowMs: () => number, changed: () => void, random?: () => number, parts?: {ask: typeof ask, solve: typeof solve}}} page
 *   `nowMs` is the server's time; `changed` is called when `state` is another
 */
export function createKeeper(saleId, { nowMs, changed, random = Math.random, parts = { ask, solve } }) {
  /** @type {PassState} */
  const state = { step: 'none', share: 0 };
  let held;
  let getting;
  let greeted = false;
  let dueAtMs;

  function become(step, share = 0) {
    Object.assign(state, { step, share });
    changed();
  }

  const pauseMs = ({ retryAfterMs }) => Math.max(PAUSE_MS, retryAfterMs) * (1 + random());

  const holds = leftMs => held !== undefined && nowMs() < held.expiresAtMs - leftMs;

  async function get() {
    become('working');
    let answer = await request(parts, saleId, share => become('working', share));
    if (answer.status === 401 && !greeted) {
      // A visitor without an account becomes a guest now, where guests may buy.
      greeted = true;
      const token = await parts.ask('token', saleId);
      if (token.ok) answer = await request(parts, saleId, share => become('working', share));
    }
    if (answer.ok) held = { pass: answer.body.pass, expiresAtMs: Date.parse(answer.body.expires) };
    else dueAtMs = isPassing(answer) ? nowMs() + pauseMs(answer) : NEVER;
    become(holds(0) ? 'ready' : 'none');
    return answer;
  }

  const keeper = {
    state,

    /**
     * Gets the first pass at a random time after `fromMs`, and renews it before its end.
     *
     * @param {number} fromMs when buyers get the first passes, by the server's time
     */
    follow(fromMs) {
      // A visitor who comes later than the crowd asks at once.
      dueAtMs ??= fromMs + random() * (nowMs() < fromMs + SPREAD_MS ? SPREAD_MS : 0);
      if (getting || holds(RENEW_MS) || nowMs() < dueAtMs) return;
      void keeper.ready(RENEW_MS);
    },

    /**
     * Returns the pass, which may still have to be worked for.
     *
     * @param {number} [leftMs] how long the pass must be good, in ms
     * @returns {Promise<Answer | {ok: true, pass: string}>} the answer of the API that gave no pass
     */
    async ready(leftMs = CLICK_MS) {
      if (holds(leftMs)) return { ok: true, pass: held.pass };
      getting ??= get().finally(() => {
        getting = undefined;
      });
      const answer = await getting;
      return answer.ok ? { ok: true, pass: held.pass } : answer;
    },

    /** Forgets a pass that the API has refused. */
    drop() {
      held = undefined;
      become('none');
    },
  };
  return keeper;
}

/** Asks for a pass, and does the work that it costs. */
async function request({ ask, solve }, saleId, onStep) {
  const answer = await ask('pass', saleId);
  if (!answer.ok || !answer.body.challenge) return answer;
  const solution = await solve(answer.body.challenge, onStep);
  // Without https a browser computes no keys.
  if (!solution) return { ok: false, status: 403, code: 'no_work', retryAfterMs: 0 };
  return ask('pass', saleId, { body: { solution } });
}

const isPassing = ({ status, code }) => status === 0 || status === 429 || status >= 500 || code === 'pass_too_early';
