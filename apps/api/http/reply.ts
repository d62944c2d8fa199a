import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A body and its headers. The answer has `cache-control: no-store` unless `headers` contains another value. */
interface Content {
  /** The media type of the body. */
  type: string;
  text: string;
  headers: OutgoingHttpHeaders;
}

/**
 * Sends a complete answer. It is a no-op if the client has disconnected.
 *
 * @param res a response of which nothing has been sent yet
 * @param status the HTTP status
 */
export function sendText(res: ServerResponse, status: number, { type, text, headers }: Content): void {
  if (res.destroyed) return;
  res.writeHead(status, { ...headersOfText(type, text), ...headers });
  res.end(text);
}

const JSON_HEADERS = Object.entries(headersOfText('application/json', '')).flat().map(String);
const LENGTH_AT = JSON_HEADERS.indexOf('content-length') + 1;

/**
 * Sends JSON text as a complete answer. Headers are a flat list, the form that costs Node the least. It is a no-op if
 * the client has disconnected.
 *
 * @param res a response of which nothing has been sent yet
 * @param status the HTTP status
 * @param headers further headers: name, value, name, value, ...
 */
export function sendJsonText(res: ServerResponse, status: number, text: string, ...headers: string[]): void {
  if (res.destroyed) return;
  const all = JSON_HEADERS.concat(headers);
  all[LENGTH_AT] = String(Buffer.byteLength(text));
  res.writeHead(status, all);
  res.end(text);
}

/**
 * Returns the headers of every answer with a body. They name its type and length, and forbid caching and guessing the
 * type.
 */
export function headersOfText(type: string, text: string | Buffer): Record<string, string | number> {
  return {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

/** An answer whose body is sent as JSON. The body must fit the contract of its endpoint. */
export interface JsonReply {
  status: number;
  body: unknown;
  headers?: OutgoingHttpHeaders | undefined;
}

/**
 * Sends a value as JSON in a complete answer.
 *
 * @param res a response of which nothing has been sent yet
 */
export function sendJson(res: ServerResponse, { status, body, headers = {} }: JsonReply): void {
  sendText(res, status, { type: 'application/json', text: JSON.stringify(body), headers });
}

/**
 * Sends bytes of no special kind in a complete answer. It is a no-op if the client has disconnected.
 *
 * @param res a response of which nothing has been sent yet
 */
export function sendBytes(
  res: ServerResponse,
  { status, bytes, headers = {} }: Omit<JsonReply, 'body'> & { bytes: Buffer },
): void {
  if (res.destroyed) return;
  res.writeHead(status, { ...headersOfText('application/octet-stream', bytes), ...headers });
  res.end(bytes);
}
