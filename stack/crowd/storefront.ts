import { Pool } from 'undici';
import { SECOND_MS } from '#core/rules/clock.js';

/** The API answers within 2 s whatever happens; longer than this is no answer. */
const ANSWER_DEADLINE_MS = 10_000;
const CONNECT_DEADLINE_MS = 5_000;

/** What a buyer can do. */
export type Call = 'buy' | 'order-status' | 'pay' | 'cancel';

/** What came back. */
export interface Answer {
  /** The HTTP status; 0: there was no answer, and what was asked may have been done or not. */
  http: number;
  status?: string;
  /** Of an error. */
  code?: string;
  claimId?: string;
  unit?: number;
  receipt?: string;
  reason?: string;
  /** Where an order is paid at a provider. */
  paymentUrl?: string;
  pollAfterMs?: number;
  /** From `Retry-After`. */
  retryAfterMs?: number;
}

/** The public calls of one API, over connections that are kept. */
export interface Storefront {
  /** Never throws. */
  ask(call: Call, saleId: string, token: string, receipt?: string): Promise<Answer>;
  close(): Promise<void>;
}

function pathOf(call: Call, saleId: string, receipt: string | undefined): string {
  return `/${call}/${saleId}${call === 'order-status' && receipt ? `?receipt=${receipt}` : ''}`;
}

/**
 * @param baseUrl of an API, or of the proxy in front of some
 * @param connections how many at most; more calls wait for one
 * @returns the calls; close it
 */
export function createStorefront(baseUrl: string, connections: number): Storefront {
  const pool = new Pool(baseUrl, {
    connections,
    headersTimeout: ANSWER_DEADLINE_MS,
    bodyTimeout: ANSWER_DEADLINE_MS,
    connect: { timeout: CONNECT_DEADLINE_MS },
  });
  return {
    async ask(call, saleId, token, receipt) {
      try {
        const { statusCode, headers, body } = await pool.request({
          path: pathOf(call, saleId, receipt),
          method: call === 'order-status' ? 'GET' : 'POST',
          headers: { authorization: `Bearer ${token}` },
        });
        const retryAfter = Number(headers['retry-after']);
        return {
          ...bodyOf(await body.text()),
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

/** A proxy answers with pages of its own when the API behind it is away. */
function bodyOf(text: string): Omit<Answer, 'http'> {
  if (!text.startsWith('{')) return {};
  const { status, ...rest } = JSON.parse(text);
  const { code, claimId, unit, receipt, reason, paymentUrl, pollAfterMs } = rest;
  // In an error, `status` is the HTTP status once more.
  const known = { code, claimId, unit, receipt, reason, paymentUrl, pollAfterMs };
  return { ...(typeof status === 'string' ? { status } : {}), ...known };
}
