import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * Sends a whole answer. Nothing of it may be kept by a cache unless the headers say so.
 *
 * @param res nothing has been sent yet; if the client is gone, nothing happens
 * @param status the HTTP status
 * @param type the media type
 * @param text the body
 * @param headers further headers
 */
export function sendText(
  res: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: OutgoingHttpHeaders = {},
): void {
  if (res.destroyed) return;
  res.writeHead(status, { ...headersOfText(type, text), ...headers });
  res.end(text);
}

const JSON_HEADERS = Object.entries(headersOfText('application/json', '')).flat().map(String);
const LENGTH_AT = JSON_HEADERS.indexOf('content-length') + 1;

/**
 * Sends JSON that is written already. One flat list of headers is what costs Node the least.
 *
 * @param res nothing has been sent yet; if the client is gone, nothing happens
 * @param status the HTTP status
 * @param text the body
 * @param headers further headers: name, value, ...
 */
export function sendJsonText(res: ServerResponse, status: number, text: string, headers?: string[]): void {
  if (res.destroyed) return;
  const all = headers ? JSON_HEADERS.concat(headers) : JSON_HEADERS.slice();
  all[LENGTH_AT] = String(Buffer.byteLength(text));
  res.writeHead(status, all);
  res.end(text);
}

/**
 * @param type the media type
 * @param text the body
 * @returns the headers that every answer has
 */
export function headersOfText(type: string, text: string): Record<string, string | number> {
  return {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

/**
 * @param res nothing has been sent yet
 * @param status the HTTP status
 * @param body what the contract of the endpoint says
 * @param headers further headers
 */
export function sendJson(res: ServerResponse, status: number, body: unknown, headers: OutgoingHttpHeaders = {}): void {
  sendText(res, status, 'application/json', JSON.stringify(body), headers);
}
