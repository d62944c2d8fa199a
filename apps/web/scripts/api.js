/**
 * @typedef {'sale' | 'buy' | 'status' | 'pay' | 'cancel' | 'token'} Call
 * @typedef {{ok: true, body: Record<string, any>, ageSeconds: number, etag?: string}} Success `etag` names what the body says
 * @typedef {{ok: false, status: number, code: string, retryAfterMs: number, opensAt?: string}} Failure `status` 0: no
 *   answer came
 * @typedef {Success | Failure} Answer
 */

/** The API answers or refuses within 2 s; a phone's network needs some more. */
const DEADLINE_MS = 10_000;

/** How long the API may wait for news before it answers: shorter than what proxies take for a dead connection. */
const WAIT_SECONDS = 20;

const PATHS = {
  sale: 'sales/',
  buy: 'buy/',
  status: 'order-status/',
  pay: 'pay/',
  cancel: 'cancel/',
};

/**
 * @param {Call} call
 * @param {string} saleId
 * @param {{receipt?: string, known?: string, signal?: AbortSignal}} [about] for `status`: proof of a claim; the `etag` of the
 *   answer that is known, to wait until there is another one; ends the waiting
 * @returns {Promise<Answer>} whatever happens, an answer: it never rejects
 */
export async function ask(call, saleId, { receipt, known, signal } = {}) {
  const path = call === 'token' ? '/guest-token' : `/${PATHS[call]}${saleId}`;
  const query = call === 'status' && receipt ? `?receipt=${encodeURIComponent(receipt)}` : '';
  const method = call === 'sale' || call === 'status' ? 'GET' : 'POST';
  try {
    // Only the sale is everybody's: caches on the way may answer, and say how old their answer is.
    const cache = call === 'sale' ? 'default' : 'no-store';
    const headers = known ? { prefer: `wait=${WAIT_SECONDS}`, 'if-none-match': known } : {};
    const response = await fetch(path + query, { method, cache, headers, signal: limited(signal, Boolean(known)) });
    return await answerOf(response);
  } catch {
    return { ok: false, status: 0, code: 'offline', retryAfterMs: 0 };
  }
}

function limited(signal, mayWait) {
  const controller = new AbortController();
  const end = () => controller.abort();
  setTimeout(end, DEADLINE_MS + (mayWait ? WAIT_SECONDS * 1_000 : 0));
  signal?.addEventListener('abort', end);
  return controller.signal;
}

async function answerOf(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) {
    const etag = response.headers.get('etag') ?? undefined;
    return { ok: true, body, ageSeconds: Number(response.headers.get('age') ?? 0), etag };
  }
  return {
    ok: false,
    status: response.status,
    code: body.code ?? '',
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    opensAt: body.opensAt,
  };
}

/** Seconds or a date, as RFC 9110 has it. */
function retryAfterMs(value) {
  if (!value) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
