import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SECOND_MS } from '#core/rules/clock.js';
import { sendProblem } from './problem.js';

/**
 * The most requests of one connection that may be in flight. Browsers and nginx wait for each answer before they send
 * the next request, and tools that measure servers pipeline up to 16.
 */
const IN_FLIGHT_MAX = 64;

/** How long a connection with too many requests may take to receive its last answers, in ms. Then it is cut. */
const LINGER_MS = 5 * SECOND_MS;

const RETRY_SECONDS = 1;

/**
 * The most requests that are ignored on a connection that ends. One read of 64 kB holds some 200 clicks. More are cut
 * off at once, as Node resumes a paused connection with each answer.
 */
const IGNORED_MAX = 256;

const IN_FLIGHT = Symbol('requests in flight');
const IGNORED = Symbol('requests ignored');
const GIVE_BACK = Symbol('ends a stream');

/**
 * A connection of a client, with its requests that are not answered yet, those ignored since it ends, and the end of a
 * stream on it.
 */
type Connection = Socket & { [IN_FLIGHT]?: number; [IGNORED]?: number; [GIVE_BACK]?: (() => void) | undefined };

/**
 * Counts a request that has arrived on a connection. Each needs a call of {@link requestEnded}. A stream that has the
 * connection ends, as the answer follows it.
 */
export function requestBegan(connection: Connection): void {
  connection[IN_FLIGHT] = (connection[IN_FLIGHT] ?? 0) + 1;
  connection[GIVE_BACK]?.();
}

/** Returns whether a connection has one request in flight, so that no other answer waits for its end. */
export function hasOneRequest(connection: Connection): boolean {
  return connection[IN_FLIGHT] === 1;
}

/**
 * Lends a connection to a stream that continues after Node counts its answer as complete.
 *
 * @param giveBack ends the stream, as soon as the next request arrives; undefined once it has ended
 */
export function lend(connection: Connection, giveBack: (() => void) | undefined): void {
  connection[GIVE_BACK] = giveBack;
}

/** Counts the end of an answer. */
export function requestEnded(connection: Connection): void {
  connection[IN_FLIGHT] = (connection[IN_FLIGHT] ?? 1) - 1;
}

/**
 * Refuses a request whose connection has too many in flight. The first such request gets 429, after the answers of the
 * earlier ones. Then the connection is closed: later requests on it are neither read nor served. Node itself bounds
 * only the bytes of waiting answers, and a request takes far more memory than its answer.
 *
 * @returns whether the request is refused
 */
export function refusesPipelined(req: IncomingMessage, res: ServerResponse): boolean {
  const connection: Connection = req.socket;
  const ignored = connection[IGNORED];
  if (ignored === undefined && (connection[IN_FLIGHT] ?? 0) <= IN_FLIGHT_MAX) return false;
  if (ignored === undefined) endConnection(connection, res);
  else if (ignored > IGNORED_MAX) connection.destroy();
  connection[IGNORED] = (ignored ?? 0) + 1;
  return true;
}

function endConnection(connection: Connection, res: ServerResponse): void {
  connection.pause();
  res.shouldKeepAlive = false;
  sendProblem(res, 'too_many_requests', { detail: 'wait for an answer', retryAfterSeconds: RETRY_SECONDS });
  setTimeout(() => connection.destroy(), LINGER_MS).unref();
}
