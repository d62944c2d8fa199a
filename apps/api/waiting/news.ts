import type { IncomingMessage } from 'node:http';
import { SECOND_MS } from '#core/rules/clock.js';
import type { LookUp, Question } from '../answers/look-up.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import type { Seen } from './buyer-waiters.js';
import type { Waiter } from './waiter.js';
import type { Waiters } from './waiters.js';

/** The parts of the API that waiting for news uses. */
export interface NewsParts {
  readonly lookUp: LookUp;
  readonly waiters: Pick<Waiters, 'open'>;
}

/** A client's wait for news of a buyer's order. */
export interface Wait extends Question {
  waitSeconds: number;
  /** Whether the first status that is read is news for the client already, so that no wait is needed. */
  isNews(answer: OrderAnswer): boolean;
}

/** The end of a wait: the buyer's status, and whether later waits of the buyer have replaced this one. */
export interface News {
  readonly answer: OrderAnswer;
  readonly isReplaced: boolean;
}

/** A waiter for a client, with the look-up that it shares with the buyer's other waiters. */
interface ClientWaiter extends Pick<Waiter, 'next' | 'leave'> {
  /** Reads the buyer's status. */
  look(): Promise<Seen>;
}

/**
 * Opens a waiter for a client. The waiter ends when the client disconnects. The caller must call `leave` in any case.
 *
 * @param req the request of the client
 * @throws as {@link Waiters.open}
 */
export async function waitFor(
  { waiters, lookUp }: NewsParts,
  req: IncomingMessage,
  question: Question,
): Promise<ClientWaiter> {
  const { saleId, buyerId, receipt } = question;
  const { waiter, ofBuyer } = await waiters.open(saleId, buyerId);
  const leave = () => {
    req.socket.off('close', leave);
    waiter.leave();
  };
  // A connection that closed while the waiter was opened does not close again.
  if (req.socket.destroyed) waiter.leave();
  else req.socket.once('close', leave);
  const look = () => ofBuyer.look(receipt, () => lookUp({ saleId, buyerId, receipt }));
  return { next: limitMs => waiter.next(limitMs), leave, look };
}

/**
 * Waits until the buyer's order status is news for the client, or `waitSeconds` are over, or later waits of the buyer
 * have replaced this one. The status is always read and never taken from a message: messages only say when to read.
 *
 * @param req the request of the client
 * @returns the buyer's status; at once if it can't change by itself
 * @throws as {@link waitFor}, and what reading the status throws
 */
export async function untilNews(parts: NewsParts, req: IncomingMessage, wait: Wait): Promise<News> {
  const endsAtMs = performance.now() + wait.waitSeconds * SECOND_MS;
  // The waiter is opened before the status is first read, so no change falls in between.
  const waiter = await waitFor(parts, req, wait);
  try {
    const from = (await waiter.look()).answer;
    let answer = from;
    while (!wait.isNews(from) && mayChange(answer) && !hasMoved(from, answer)) {
      const why = await waiter.next(endsAtMs - performance.now());
      if (why === 'timeout' || why === 'left') break;
      answer = (await waiter.look()).answer;
      if (why === 'replaced') return { answer, isReplaced: true };
    }
    return { answer, isReplaced: false };
  } finally {
    waiter.leave();
  }
}

/** Returns whether a buyer's status may still change without another click. Its answer then advises a further poll. */
export function mayChange(answer: OrderAnswer): boolean {
  return answer.pollAfterMs !== undefined;
}

/**
 * Returns whether a status changed enough to end a wait. A better position on standby does not count; a refused payment
 * does.
 */
function hasMoved(before: OrderAnswer, now: OrderAnswer): boolean {
  return before.status !== now.status || before.claimId !== now.claimId || before.reason !== now.reason;
}
