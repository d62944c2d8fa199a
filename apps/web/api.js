/**
 * @typedef {'sale' | 'buy' | 'status' | 'pay' | 'cancel' | 'token'} Call
 * @typedef {{ok: true, body: Record<string, any>, ageSeconds: number}} Success
 * @typedef {{ok: false, status: number, code: string, retryAfterMs: number, opensAt?: string}} Failure `status` 0: no
 *   answer came
 * @typedef {Success | Failure} Answer
 */

/** The API answers or refuses within 2 s; a phone's network needs some more. */
const DEADLINE_MS = 10_000;

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
 * @param {string} [receipt] proof of a claim, for `status`
 * @returns {Promise<Answer>} whatever happens, an answer: it never rejects
 */
export async function ask(call, saleId, receipt) {
  const path = call === 'token' ? '/guest-token' : `/${PATHS[call]}${saleId}`;
  const query = call === 'status' && receipt ? `?receipt=${encodeURIComponent(receipt)}` : '';
  const method = call === 'sale' || call === 'status' ? 'GET' : 'POST';
  try {
    // Only the sale is everybody's: caches on the way may answer, and say how old their answer is.
    const cache = call === 'sale' ? 'default' : 'no-store';
    const response = await fetch(path + query, { method, cache, signal: AbortSignal.timeout(DEADLINE_MS) });
    return await answerOf(response);
  } catch {
    return { ok: false, status: 0, code: 'offline', retryAfterMs: 0 };
  }
}

async function answerOf(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) return { ok: true, body, ageSeconds: Number(response.headers.get('age') ?? 0) };
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
