import { Pool } from 'undici';
import { SECOND_MS } from '#core/rules/clock.js';

/** The API answers within 2 s, even when its stores are down. After this time a call counts as unanswered. */
const ANSWER_DEADLINE_MS = 10_000;
const CONNECT_DEADLINE_MS = 5_000;

/** The calls of a buyer about a unit. */
export type Call = 'buy' | 'order-status' | 'pay' | 'cancel';

/** The calls of a buyer, with the one that prepares a click. */
export type AnyCall = Call | 'pass';

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
  /** The number of the entry in a line that exists before the opening. */
  entry?: number;
  reason?: string;
  /** The page on which the order is paid at a provider. */
  paymentUrl?: string;
  /** The total that went back of a paid order, in minor units. */
  refundedMinor?: number;
  pollAfterMs?: number;
  /** The pass for a click, or the challenge to be solved first. */
  pass?: string;
  challenge?: object;
  /** From the header `Retry-After`. */
  retryAfterMs?: number;
}

/** The parts of a call that not every call has. */
export interface AskOptions {
  receipt?: string | undefined;
  /** The pass that a click carries. */
  pass?: string | undefined;
  /** The solution of a challenge, for a pass. */
  solution?: string | undefined;
}

/** The public calls of one API, over a pool of connections. */
export interface Storefront {
  /** Makes one call. It never throws: a failure is an answer with `http` 0. */
  ask(call: AnyCall, saleId: string, token: string, options?: AskOptions): Promise<Answer>;
  close(): Promise<void>;
}

function pathOf(call: AnyCall, saleId: string, receipt: string | undefined): string {
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
    async ask(call, saleId, token, { receipt, pass, solution } = {}) {
      try {
        const { statusCode, headers, body } = await pool.request({
          path: pathOf(call, saleId, receipt),
          method: call === 'order-status' ? 'GET' : 'POST',
          headers: { authorization: `Bearer ${token}`, ...(pass && { 'dropline-pass': pass }) },
          body: solution === undefined ? null : JSON.stringify({ solution }),
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
  const { code, claimId, unit, receipt, entry, reason, paymentUrl, refundedMinor, pollAfterMs, pass, challenge } = rest;
  // In an error, `status` repeats the HTTP status as a number.
  const about = { code, claimId, unit, receipt, entry, reason, paymentUrl, refundedMinor, pollAfterMs };
  const known = { ...about, ...(pass && { pass }), ...(challenge && { challenge }) };
  return { ...(typeof status === 'string' ? { status } : {}), ...known };
}

/** The opening of a sale, and when buyers may join it and when it opens, in ms from now by the clock of the sale. */
export interface SaleTimes {
  opening: string;
  joinsInMs: number;
  opensInMs: number;
  /** Whether a click needs a pass. */
  needsPass: boolean;
}

/**
 * Reads the times of a sale from its API, as its page does.
 *
 * @throws Error when the API has no such sale, or gives no answer
 */
export async function readSaleTimes(baseUrl: string, saleId: string): Promise<SaleTimes> {
  const response = await fetch(`${baseUrl}/sales/${saleId}`, { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
  if (!response.ok) throw new Error(`the API answers ${response.status} about sale ${saleId}`);
  const sale = (await response.json()) as Record<
    'opening' | 'joinsAt' | 'opensAt' | 'serverTime',
    string | undefined
  > & {
    needsPass?: boolean;
  };
  const { opening, joinsAt, opensAt, serverTime, needsPass = false } = sale;
  const inMs = (at = '') => Date.parse(at) - Date.parse(serverTime ?? '');
  return { opening: String(opening), joinsInMs: inMs(joinsAt ?? opensAt), opensInMs: inMs(opensAt), needsPass };
}
