import type { IncomingMessage, ServerResponse } from 'node:http';
import getRawBody, { type RawBodyError } from 'raw-body';
import { problemSent } from '#core/process/telemetry.js';
import { PROBLEMS } from '#core/rules/errors.js';
import { problemText } from './problem.js';

/** No call of a buyer has a body. Clients and proxies may send one out of habit: it is ignored up to this many bytes. */
const BODY_BYTES_MAX = 1_024;

/** How long a refused body is still received, in ms. The client needs that time to read the refusal. */
const LINGER_MS = 500;

/**
 * Continues with a request that has a small body or none, and answers any other with 413. The body is not read.
 *
 * @param next continues with the request; called at most once
 */
export function passSmallBody(req: IncomingMessage, res: ServerResponse, next: () => void): void {
  if (Number(req.headers['content-length'] ?? 0) > BODY_BYTES_MAX) refuse(req, res, BODY_BYTES_MAX);
  else if (req.headers['transfer-encoding'] !== undefined) count(req, res, next);
  // Node discards a body of a small declared length after the answer.
  else next();
}

/** Counts a body that comes in chunks, as its length isn't declared. */
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
 * Reads the raw bytes of a body, or answers with 413. The server's `requestTimeout` bounds the time.
 *
 * @returns the bytes; undefined for a longer body, which has been answered
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
 * Sends the answer at once and closes the connection later. A client that is still sending would not read the answer.
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
