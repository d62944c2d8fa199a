import type { IncomingMessage, ServerResponse } from 'node:http';
import getRawBody, { type RawBodyError } from 'raw-body';
import { problemSent } from '#core/process/telemetry.js';
import { PROBLEMS } from '#core/rules/errors.js';
import { problemText } from './problem.js';

/**
 * No call of a buyer needs a body. Clients and proxies may send one out of habit: up to this many bytes are ignored.
 */
const BODY_BYTES_MAX = 1_024;

/**
 * How long the API keeps receiving a body that it has refused as too large, in ms. The client needs that time to read
 * the refusal.
 */
const LINGER_MS = 500;

/**
 * Lets a request continue if its body is small or missing, and answers 413 to any other. The body's content is ignored.
 *
 * @param next continues with the request; called at most once
 */
export function passSmallBody(req: IncomingMessage, res: ServerResponse, next: () => void): void {
  if (Number(req.headers['content-length'] ?? 0) > BODY_BYTES_MAX) refuse(req, res, BODY_BYTES_MAX);
  else if (req.headers['transfer-encoding'] !== undefined) count(req, res, next);
  // Node itself discards a body with a small `Content-Length` once the answer is sent.
  else next();
}

/** Counts the bytes of a chunked body, whose length no header declares. */
function count(req: IncomingMessage, res: ServerResponse, next: () => void): void {
  let bytes = 0;
  const add = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) return;
    req.off('data', add).off('end', next);
    refuse(req, res, BODY_BYTES_MAX);
  };
  req.on('data', add).once('end', next);
}

/**
 * Reads the raw bytes of a request's body, or answers 413 if they exceed `bytesMax`. The HTTP server's `requestTimeout`
 * bounds the time.
 *
 * @returns the bytes; undefined for a longer body, to which 413 has been answered
 * @throws when the connection is lost
 */
export async function readBody(
  req: IncomingMessage,
  res: ServerResponse,
  bytesMax: number,
): Promise<Buffer | undefined> {
  try {
    return await getRawBody(req, { length: req.headers['content-length'] ?? null, limit: bytesMax });
  } catch (error) {
    if ((error as RawBodyError).type !== 'entity.too.large') throw error;
    refuse(req, res, bytesMax);
    return undefined;
  }
}

/**
 * Sends 413 at once, but ends the answer only after the body, or after {@link LINGER_MS}. A connection closed earlier
 * would keep a client that is still sending from reading the answer.
 */
function refuse(req: IncomingMessage, res: ServerResponse, bytesMax: number): void {
  problemSent('body_too_large');
  const text = problemText('body_too_large', { detail: `at most ${bytesMax} bytes` });
  res.writeHead(PROBLEMS.body_too_large.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  res.write(text);
  const end = () => res.end();
  const timer = setTimeout(end, LINGER_MS);
  res.once('close', () => clearTimeout(timer));
  req.once('end', end).resume();
}
