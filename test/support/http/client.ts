import { Agent } from 'undici';
import { issueToken } from '#core/identity/token.js';

const PATIENCE_MS = 60_000;

/** An answer, and when it was there by this process's own clock, in ms. */
export interface TimedAnswer {
  http: number;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
  atMs: number;
}

/** Many buyers at once, spread over some APIs. */
export interface Client {
  send(buyerId: string, method: 'GET' | 'POST', path: string, headers?: Record<string, string>): Promise<TimedAnswer>;
  close(): Promise<void>;
}

/**
 * @param baseUrls of the APIs; request after request takes the next one
 * @param authSecret what the tokens are signed with
 * @param connections how many at most, to each API
 */
export function openClient(baseUrls: string[], authSecret: string, connections: number): Client {
  const agent = new Agent({ connections, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  let next = 0;
  return {
    async send(buyerId, method, path, headers = {}) {
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
