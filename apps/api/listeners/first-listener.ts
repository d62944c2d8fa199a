import type { IncomingMessage, ServerResponse } from 'node:http';

/** Is asked before Express: answers a request if it is for it, and says whether it was. */
export type FirstListener = (req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * @param url a request's, which begins with the prefix
 * @param prefix `/name/`
 * @returns the sale that it names, and what stands behind the `?` if there is one; neither was checked
 */
export function addressOf(url: string, prefix: string): { saleId: string; query: string | undefined } {
  const end = url.indexOf('?', prefix.length);
  if (end === -1) return { saleId: url.slice(prefix.length), query: undefined };
  return { saleId: url.slice(prefix.length, end), query: url.slice(end + 1) };
}
