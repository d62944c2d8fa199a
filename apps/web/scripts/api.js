/**
 * The types of calls to the API and of their answers.
 *
 * @typedef {'sale' | 'buy' | 'status' | 'pay' | 'cancel' | 'token' | 'pass' | 'draw' | 'proof'} Call
 * @typedef {{ok: true, body: Record<string, any>, ageSeconds: number, etag?: string, waits: boolean}} Success
 *   `ageSeconds` is how long a cache has kept the answer; `etag` identifies the body; `waits` is false if the API did not
 *   wait although it was asked to: then too many tabs of this visitor wait already
 * @typedef {{ok: false, status: number, code: string, retryAfterMs: number, opensAt?: string, joinsAt?: string}} Failure `status` is the
 *   HTTP status, or 0 when no answer came
 * @typedef {Success | Failure} Answer
 */

/** The time-out of a call to the API, in ms. The API answers within 2 s, and a phone's network needs more. */
const DEADLINE_MS = 10_000;

/**
 * How long the API may hold back a status until the order changes, in s (long polling). Proxies end a connection that
 * is silent for longer.
 */
const WAIT_SECONDS = 20;

const PATHS = {
  sale: id => `/sales/${id}`,
  buy: id => `/buy/${id}`,
  status: id => `/order-status/${id}`,
  pay: id => `/pay/${id}`,
  cancel: id => `/cancel/${id}`,
  token: () => '/guest-token',
  pass: id => `/pass/${id}`,
  draw: id => `/draws/${id}`,
  proof: id => `/draws/${id}/proof`,
};

/** The calls that only read. The answers to the first two are the same for every visitor, so caches may give them. */
const FOR_ALL = ['sale', 'draw'];
const READING = [...FOR_ALL, 'status', 'proof'];

/**
 * Calls the API. The promise never rejects.
 *
 * @param {Call} call
 * @param {string} saleId
 * @param {{receipt?: string, known?: string, signal?: AbortSignal, pass?: string, body?: object}} [about] for `buy`: `pass`; for
 *   `pass`: `body` has the solution; for `status`: `receipt` proves the
 *   visitor's claim; `known` is the `etag` of the last answer, and the API waits until the status has another one;
 *   `signal` ends the wait
 * @returns {Promise<Answer>}
 */
export async function ask(call, saleId, { receipt, known, signal, pass, body } = {}) {
  const query = call === 'status' && receipt ? `?receipt=${encodeURIComponent(receipt)}` : '';
  const method = READING.includes(call) ? 'GET' : 'POST';
  try {
    // The `Age` header of a cache says how old its answer is.
    const cache = FOR_ALL.includes(call) ? 'default' : 'no-store';
    const headers = {
      ...(known && { prefer: `wait=${WAIT_SECONDS}`, 'if-none-match': known }),
      ...(pass && { 'dropline-pass': pass }),
    };
    const limitMs = DEADLINE_MS + (known ? WAIT_SECONDS * 1_000 : 0);
    const response = await fetch(PATHS[call](saleId) + query, {
      method,
      cache,
      headers,
      ...(body && { body: JSON.stringify(body) }),
      signal: limited(signal, limitMs),
    });
    return await answerOf(response, Boolean(known));
  } catch {
    return { ok: false, status: 0, code: 'offline', retryAfterMs: 0 };
  }
}

/** Returns an abort signal that fires when the given signal does, or after `limitMs`. */
function limited(signal, limitMs) {
  const controller = new AbortController();
  const end = () => controller.abort();
  setTimeout(end, limitMs);
  signal?.addEventListener('abort', end);
  return controller.signal;
}

async function answerOf(response, wasToWait) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) {
    const etag = response.headers.get('etag') ?? undefined;
    const waits = !wasToWait || response.headers.has('preference-applied');
    return { ok: true, body, ageSeconds: Number(response.headers.get('age') ?? 0), etag, waits };
  }
  return {
    ok: false,
    status: response.status,
    code: body.code ?? '',
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    opensAt: body.opensAt,
    joinsAt: body.joinsAt,
  };
}

/** Reads `Retry-After`, which is a number of seconds or a date (RFC 9110). Without it the pause is 0. */
function retryAfterMs(value) {
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1_000;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
