import type { IncomingMessage, ServerResponse } from 'node:http';

/** Is tried before Express. Answers the requests that it is made for, and returns whether it did. */
export type FirstListener = (req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * Splits the URL of a request, which must begin with the prefix.
 *
 * @param prefix `/name/`
 * @returns the sale's id, and the query behind `?` if there is one; neither is checked
 */
export function addressOf(url: string, prefix: string): { saleId: string; query: string | undefined } {
  const end = url.indexOf('?', prefix.length);
  if (end === -1) return { saleId: url.slice(prefix.length), query: undefined };
  return { saleId: url.slice(prefix.length, end), query: url.slice(end + 1) };
}
