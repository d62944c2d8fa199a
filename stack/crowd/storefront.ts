import { Pool } from 'undici';
import { SECOND_MS } from '#core/rules/clock.js';

/** The API answers within 2 s, even when its stores are down. After this time a call counts as unanswered. */
const ANSWER_DEADLINE_MS = 10_000;
const CONNECT_DEADLINE_MS = 5_000;

/** The calls of a buyer. */
export type Call = 'buy' | 'order-status' | 'pay' | 'cancel';

/** The answer to a call. */
export interface Answer {
  /** The HTTP status; 0 for no answer, and then the call may have taken effect or not. */
  http: number;
  status?: string;
  /** The code of an error. */
  code?: string;
  claimId?: string;
  unit?: number;
  receipt?: string;
  /** The number of an entry in a draw. */
  entry?: number;
  reason?: string;
  /** The page on which the order is paid at a provider. */
  paymentUrl?: string;
  /** The total that went back of a paid order, in minor units. */
  refundedMinor?: number;
  pollAfterMs?: number;
  /** From the header `Retry-After`. */
  retryAfterMs?: number;
}

/** The public calls of one API, over a pool of connections. */
export interface Storefront {
  /** Makes one call. It never throws: a failure is an answer with `http` 0. */
  ask(call: Call, saleId: string, token: string, options?: { receipt?: string | undefined }): Promise<Answer>;
  close(): Promise<void>;
}

function pathOf(call: Call, saleId: string, receipt: string | undefined): string {
  return `/${call}/${saleId}${call === 'order-status' && receipt ? `?receipt=${receipt}` : ''}`;
}

/**
 * Creates a storefront.
 *
 * @param baseUrl the origin of an API, or of a proxy in front of several
 * @param connections the size of the pool; further calls wait for a free connection
 * @returns the storefront, to be closed by the caller
 */
export function createStorefront(baseUrl: string, connections: number): Storefront {
  const pool = new Pool(baseUrl, {
    connections,
    headersTimeout: ANSWER_DEADLINE_MS,
    bodyTimeout: ANSWER_DEADLINE_MS,
    connect: { timeout: CONNECT_DEADLINE_MS },
  });
  return {
    async ask(call, saleId, token, { receipt } = {}) {
      try {
        const { statusCode, headers, body } = await pool.request({
          path: pathOf(call, saleId, receipt),
          method: call === 'order-status' ? 'GET' : 'POST',
          headers: { authorization: `Bearer ${token}` },
        });
        const retryAfter = Number(headers['retry-after']);
        return {
          ...parseAnswer(await body.text()),
          http: statusCode,
          ...(retryAfter > 0 ? { retryAfterMs: retryAfter * SECOND_MS } : {}),
        };
      } catch {
        return { http: 0 };
      }
    },
    close: () => pool.destroy(),
  };
}

/**
 * Parses the body of an answer.
 *
 * @returns nothing for the pages that a proxy sends while the API behind it is away
 */
export function parseAnswer(text: string): Omit<Answer, 'http'> {
  if (!text.startsWith('{')) return {};
  const { status, ...rest } = JSON.parse(text);
  const { code, claimId, unit, receipt, entry, reason, paymentUrl, refundedMinor, pollAfterMs } = rest;
  // In an error, `status` repeats the HTTP status as a number.
  const known = { code, claimId, unit, receipt, entry, reason, paymentUrl, refundedMinor, pollAfterMs };
  return { ...(typeof status === 'string' ? { status } : {}), ...known };
}
