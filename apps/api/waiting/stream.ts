import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenVerifier } from '#core/identity/token.js';
import { buyerOf } from '../http/buyer.js';
import type { LimitCheck } from '../http/limit-kind.js';
import type { Admission } from '../load/load.js';
import { FINAL_ID, type ReadParts, StandingStream } from './standing-stream.js';
import { answerTrouble } from './trouble.js';
import type { Waiters } from './waiters.js';

/** The parts of the API that serve a stream of an order's status. */
export interface StreamParts extends ReadParts {
  readonly waiters: Pick<Waiters, 'join'>;
  readonly verifyToken: TokenVerifier;
  readonly limits: LimitCheck;
  readonly load: ReadParts['load'] & Admission;
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
export async function stream(parts: StreamParts, { req, res, saleId, receipt }: StreamRequest): Promise<void> {
  try {
    const buyerId = buyerOf(req, parts.verifyToken);
    if (req.headers['last-event-id'] === FINAL_ID) return void res.writeHead(204).end();
    parts.limits.check('waits', buyerId);
    parts.load.admit('poll');
    // The waiter is opened before the status is first read, so no change falls in between.
    const { waiter, ofBuyer } = await parts.waiters.join(saleId, buyerId, (tick, onLeave) => {
      const question = { saleId, buyerId, receipt };
      return new StandingStream(parts, { req, res, question, tick, onLeave });
    });
    waiter.start(ofBuyer);
  } catch (error) {
    answerTrouble(res, error);
  }
}
