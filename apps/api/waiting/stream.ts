import { once } from 'node:events';
import type { Request, RequestHandler, Response } from 'express';
import { ID_PATTERN } from '#core/rules/claim.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { lookUp } from '../answers/look-up.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import type { ApiContext } from '../context.js';
import { buyerOf } from '../http/buyer.js';
import { sendError } from '../http/problem.js';
import { mayChange, waitFor } from './news.js';

/** Proxies cut off what is silent for 30 to 60 s. */
const KEEP_ALIVE_MS = 15 * SECOND_MS;

/** A stream ends after this time, and the browser opens the next one, with a token that is still good. */
const STREAM_MS = 10 * MINUTE_MS;

/** When a browser connects again, in ms. */
const RETRY_MS = 2_000;

/** The id of the last event there will be: a browser that comes back with it is told to stop. */
const FINAL_ID = 'final';

/**
 * `GET /order-status/:saleId` for `Accept: text/event-stream`: an event `status` at once and at each change, its data what the
 * ordinary answer would be, until a status that is final. For all other requests the next listener answers.
 *
 * @param ctx the API's parts
 * @returns the listener
 */
export function streamListener(ctx: ApiContext): RequestHandler {
  return async (req, res, next) => {
    if (!/\btext\/event-stream\b/i.test(req.headers.accept ?? '')) return next();
    try {
      await stream(ctx, req, res);
    } catch (error) {
      sendError(res, error, 'stream');
    }
  };
}

async function stream(ctx: ApiContext, req: Request, res: Response): Promise<void> {
  const saleId = String(req.params.saleId);
  if (!ID_PATTERN.test(saleId)) throw new Problem('invalid_request', { detail: 'no sale has an id like this' });
  const buyerId = buyerOf(req, ctx.verifyToken);
  if (req.headers['last-event-id'] === FINAL_ID) return void res.writeHead(204).end();
  const waiter = await waitFor(ctx, req, saleId, buyerId);
  try {
    const receipt = typeof req.query.receipt === 'string' ? req.query.receipt : undefined;
    const look = () => lookUp(ctx, saleId, buyerId, receipt);
    let now = await look();
    begin(res);
    await write(res, eventOf(now));
    const endsAtMs = performance.now() + STREAM_MS;
    while (mayChange(now) && performance.now() < endsAtMs) {
      const why = await waiter.next(KEEP_ALIVE_MS);
      if (why === 'left') break;
      const before = now;
      if (why === 'news') now = await look();
      await write(res, isOther(before, now) ? eventOf(now) : ':\n\n');
    }
  } finally {
    waiter.leave();
  }
  res.end();
}

function begin(res: Response): void {
  res.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // nginx would hold events back until its buffer is full.
    'x-accel-buffering': 'no',
  });
  res.write(`retry: ${RETRY_MS}\n\n`);
}

function eventOf(answer: OrderAnswer): string {
  const id = mayChange(answer) ? '' : `id: ${FINAL_ID}\n`;
  return `event: status\n${id}data: ${JSON.stringify(answer)}\n\n`;
}

/** A client that doesn't read must not fill our memory: the next event waits for it. */
async function write(res: Response, text: string): Promise<void> {
  if (res.destroyed || res.write(text)) return;
  await Promise.race([once(res, 'drain'), once(res, 'close')]);
}

/** Here a place further ahead in the line is worth an event. */
function isOther({ pollAfterMs: _, ...before }: OrderAnswer, { pollAfterMs: __, ...now }: OrderAnswer): boolean {
  return JSON.stringify(before) !== JSON.stringify(now);
}
