import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenVerifier } from '#core/identity/token.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { PROBLEMS } from '#core/rules/errors.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import { buyerOf } from '../http/buyer.js';
import type { LimitCheck } from '../http/limit-kind.js';
import { countProblem, problemFor, sendError } from '../http/problem.js';
import type { Admission } from '../load/load.js';
import type { Seen } from './buyer-waiters.js';
import { mayChange, type NewsParts, waitFor } from './news.js';

/**
 * The longest silence on a stream of server-sent events, in ms. Proxies cut off a connection that is silent for 30 to
 * 60 s.
 */
const KEEP_ALIVE_MS = 15 * SECOND_MS;

/** The longest duration of a stream, in ms. The browser then opens the next one, with a token that is still valid. */
const STREAM_MS = 10 * MINUTE_MS;

/** How soon a browser reconnects after it lost a stream, in ms. */
const RETRY_MS = 2_000;

/**
 * The last message on a stream that later waits of its buyer have replaced. A client polls from then on. One that
 * reconnects instead does so after half a minute, so that many tabs seldom replace each other.
 */
const REPLACED = `retry: ${30 * SECOND_MS}\nevent: replaced\ndata: {}\n\n`;

/**
 * The id of the last message on a stream, about an order's final status. A browser that reconnects with this id gets
 * 204 and stops.
 */
const FINAL_ID = 'final';

/** The headers of every stream, in the form that costs Node the least: name, value, name, value, ... */
const HEADERS = Object.entries({
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // Without this header, nginx holds messages of the stream back until its buffer is full.
  'x-accel-buffering': 'no',
}).flat();

/** The parts of the API that serve a stream of an order's status. */
export interface StreamParts extends NewsParts {
  readonly verifyToken: TokenVerifier;
  readonly limits: LimitCheck;
  readonly load: Admission;
}

/** A request that waits for news of an order. */
export interface StreamRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly saleId: string;
  readonly receipt: string | undefined;
}

/** Returns whether a client wants a stream, and not a single answer. */
export function wantsStream({ headers }: IncomingMessage): boolean {
  return /\btext\/event-stream\b/i.test(headers.accept ?? '');
}

/**
 * Serves a stream of an order's status. It sends a server-sent event `status` at once and at each change, until a final
 * status. The data is the JSON of the ordinary answer. A browser gives up a stream for good when it gets anything but
 * 200, so a passing trouble is an empty stream with the time after which to come back.
 */
export async function stream(parts: StreamParts, request: StreamRequest): Promise<void> {
  try {
    await serve(parts, request);
  } catch (error) {
    answerTrouble(request.res, error);
  }
}

/** Answers a failed stream. If a later retry helps, the answer tells a browser when to reconnect. */
function answerTrouble(res: ServerResponse, error: unknown): void {
  const problem = problemFor(error, 'stream');
  if (!problem || PROBLEMS[problem.code].retry !== 'after') return void sendError(res, problem ?? error, 'stream');
  countProblem(problem);
  const retryMs = (problem.details.retryAfterSeconds ?? 0) * SECOND_MS || RETRY_MS;
  // Up to twice the time, so that a crowd whose streams ended together does not come back together.
  const text = `retry: ${Math.ceil(retryMs * (1 + Math.random()))}\n\n`;
  // With its length, the answer is one write to the connection.
  if (!res.headersSent) res.writeHead(200, [...HEADERS, 'content-length', String(text.length)]);
  res.end(text);
}

async function serve(parts: StreamParts, { req, res, saleId, receipt }: StreamRequest): Promise<void> {
  const buyerId = buyerOf(req, parts.verifyToken);
  if (req.headers['last-event-id'] === FINAL_ID) return void res.writeHead(204).end();
  parts.limits.check('waits', buyerId);
  parts.load.admit('poll');
  const waiter = await waitFor(parts, req, { saleId, buyerId, receipt });
  try {
    let now = await waiter.look();
    res.writeHead(200, HEADERS);
    res.write(`retry: ${RETRY_MS}\n\n`);
    await write(res, eventOf(now));
    const endsAtMs = performance.now() + STREAM_MS;
    while (mayChange(now.answer) && performance.now() < endsAtMs) {
      const why = await waiter.next(KEEP_ALIVE_MS);
      if (why === 'replaced') res.write(REPLACED);
      if (why === 'replaced' || why === 'left') break;
      const before = now;
      if (why === 'news') now = await waiter.look();
      await write(res, differs(before.answer, now.answer) ? eventOf(now) : ':\n\n');
    }
  } finally {
    waiter.leave();
  }
  res.end();
}

function eventOf({ answer, text }: Seen): string {
  const id = mayChange(answer) ? '' : `id: ${FINAL_ID}\n`;
  return `event: status\n${id}data: ${text}\n\n`;
}

/**
 * Writes to a stream, and waits while the client is slow to read. So unread text doesn't fill this process's memory.
 */
async function write(res: ServerResponse, text: string): Promise<void> {
  if (res.destroyed || res.write(text)) return;
  await Promise.race([once(res, 'drain'), once(res, 'close')]);
}

/**
 * Returns whether two answers differ enough for a message on the stream. A better position on standby counts; another
 * pause before the next poll does not.
 */
function differs({ pollAfterMs: _, ...before }: OrderAnswer, { pollAfterMs: __, ...now }: OrderAnswer): boolean {
  return JSON.stringify(before) !== JSON.stringify(now);
}
