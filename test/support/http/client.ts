import { Agent } from 'undici';
import { issueToken } from '#core/identity/token.js';

const PATIENCE_MS = 60_000;

/** An answer, and its time of arrival by the clock of this process, in ms. */
export interface TimedAnswer {
  http: number;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
  atMs: number;
}

/** A request of a buyer. */
export interface BuyerRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
}

/** A client for many buyers at once, spread over several APIs. */
export interface Client {
  send(buyerId: string, request: BuyerRequest): Promise<TimedAnswer>;
  close(): Promise<void>;
}

/**
 * Creates a client. Each request goes to the next API in turn.
 *
 * @param connections the most connections to each API
 */
export function createClient(baseUrls: string[], authSecret: string, connections: number): Client {
  const agent = new Agent({ connections, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  let next = 0;
  return {
    async send(buyerId, { method, path, headers = {} }) {
      next += 1;
      const response = await agent.request({
        origin: baseUrls[next % baseUrls.length] ?? '',
        path,
        method,
        headers: { authorization: `Bearer ${issueToken(authSecret, buyerId)}`, ...headers },
      });
      const text = await response.body.text();
      const body = text.startsWith('{') ? JSON.parse(text) : {};
      return { http: response.statusCode, headers: response.headers, body, atMs: performance.now() };
    },
    close: () => agent.destroy(),
  };
}
