import type { IncomingMessage, ServerResponse } from 'node:http';
import getRawBody, { type RawBodyError } from 'raw-body';
import { Problem } from '#core/rules/errors.js';
import { countProblem, PreparedProblem, sendProblem } from './problem.js';

/**
 * The most bytes in the body of a buyer's call. Only `POST /pass/:saleId` reads one. Clients and proxies may send others
 * out of habit, which are ignored.
 */
export const BODY_BYTES_MAX = 1_024;

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
  if (req.headers['transfer-encoding'] !== undefined) count(req, res, next);
  // Node itself discards a body with a small `Content-Length` once the answer is sent.
  else if (hasSmallBody(req)) next();
  else refuse(req, res, tooLarge(BODY_BYTES_MAX));
}

/** Counts the bytes of a chunked body, whose length no header declares. */
function count(req: IncomingMessage, res: ServerResponse, next: () => void): void {
  let bytes = 0;
  const add = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) return;
    req.off('data', add).off('end', next);
    refuse(req, res, tooLarge(BODY_BYTES_MAX));
  };
  req.on('data', add).once('end', next);
}

/** Returns whether a request's headers say that its body is missing or small. */
export function hasSmallBody(req: IncomingMessage): boolean {
  return declaredBytes(req) <= BODY_BYTES_MAX;
}

/** Returns the length of a request's body as its headers declare it, in bytes; `Infinity` for a body in chunks. */
export function declaredBytes({ headers }: IncomingMessage): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Number.POSITIVE_INFINITY;
}

/**
 * Refuses a request whose body nobody will read. Node discards a body of at most `bytesMax` after the answer, and the
 * connection stays open. The connection of a larger one is closed.
 */
export function refuseUnread(
  req: IncomingMessage,
  res: ServerResponse,
  { problem, bytesMax }: { problem: Problem; bytesMax: number },
): void {
  if (declaredBytes(req) > bytesMax) refuse(req, res, problem);
  else sendProblem(res, problem.code, problem.details);
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
    refuse(req, res, tooLarge(bytesMax));
    return undefined;
  }
}

function tooLarge(bytesMax: number): Problem {
  return new Problem('body_too_large', { detail: `at most ${bytesMax} bytes` });
}

/**
 * Sends a problem at once, but ends the answer only after the body, or after {@link LINGER_MS}. A connection closed
 * earlier would keep a client that is still sending from reading the answer.
 */
function refuse(req: IncomingMessage, res: ServerResponse, problem: Problem): void {
  countProblem(problem);
  const prepared = problem instanceof PreparedProblem ? problem : new PreparedProblem(problem.code, problem.details);
  res.writeHead(prepared.status, [...prepared.headers, 'connection', 'close']);
  res.write(prepared.text);
  const end = () => res.end();
  const timer = setTimeout(end, LINGER_MS);
  res.once('close', () => clearTimeout(timer));
  req.once('end', end).resume();
}
