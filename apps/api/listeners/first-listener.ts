import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * A listener that the HTTP server tries before Express. It returns true if the request is its own to answer, and false
 * to leave the request to Express.
 */
export type FirstListener = (req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * Splits the URL of a request about one sale. The URL must begin with the prefix.
 *
 * @param prefix the path before the sale's id, for example `/buy/`
 * @returns the sale's id, and the query after `?` if there is one; neither is validated
 */
export function addressOf(url: string, prefix: string): { saleId: string; query: string | undefined } {
  const end = url.indexOf('?', prefix.length);
  if (end === -1) return { saleId: url.slice(prefix.length), query: undefined };
  return { saleId: url.slice(prefix.length, end), query: url.slice(end + 1) };
}
