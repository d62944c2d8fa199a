import type { IncomingMessage, ServerResponse } from 'node:http';
import getRawBody, { type RawBodyError } from 'raw-body';
import { problemSent } from '#core/process/telemetry.js';
import { PROBLEMS } from '#core/rules/errors.js';
import { problemText } from './problem.js';

/** No call of a buyer has a body. What a client or a proxy adds out of habit is passed over, up to this many bytes. */
const BODY_BYTES_MAX = 1_024;

/** How long a refused body is still taken in, in ms, so that the refusal isn't lost with a connection that is cut. */
const LINGER_MS = 500;

/**
 * Lets a request through whose body is small, and answers any other with 413. Nobody reads the body.
 *
 * @param req the request
 * @param res its response
 * @param next goes on; called at most once
 */
export function passSmallBody(req: IncomingMessage, res: ServerResponse, next: () => void): void {
  if (Number(req.headers['content-length'] ?? 0) > BODY_BYTES_MAX) refuse(req, res, BODY_BYTES_MAX);
  else if (req.headers['transfer-encoding'] !== undefined) count(req, res, next);
  // Whatever is announced to be small is discarded by Node after the answer.
  else next();
}

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
 * Reads a body as the bytes that came, or answers with 413. The server's `requestTimeout` bounds the time.
 *
 * @param req the request; nobody has read from it
 * @param res its response
 * @param bytesMax how many bytes at most
 * @returns the bytes; undefined when there were more: then the answer is sent
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

/** Sends the whole answer but keeps the connection for a moment: a client that is still sending would not read it else. */
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
