import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendProblem } from '../http/problem.js';

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

/**
 * Creates the listener for a `POST` about one sale.
 *
 * @param prefix the path before the sale's id, for example `/buy/`
 * @param answer answers the request. The id of the sale is not validated, but has no slash and is not empty
 */
export function postListener(
  prefix: string,
  answer: (req: IncomingMessage, res: ServerResponse, saleId: string) => void,
): FirstListener {
  return (req, res) => {
    const url = req.url ?? '';
    if (!url.startsWith(prefix)) return false;
    const { saleId } = addressOf(url, prefix);
    // Another path, such as one that ends in a slash. Express answers it with 404.
    if (saleId === '' || saleId.includes('/')) return false;
    if (req.method === 'POST') answer(req, res, saleId);
    else {
      res.setHeader('allow', 'POST');
      sendProblem(res, 'method_not_allowed');
    }
    return true;
  };
}
