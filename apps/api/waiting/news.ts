import type { IncomingMessage } from 'node:http';
import { SECOND_MS } from '#core/rules/clock.js';
import type { Question } from '../answers/look-up.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import type { Waiter } from './waiter.js';
import type { Waiters } from './waiters.js';

type Whose = Pick<Question, 'saleId' | 'buyerId'>;

/** A client's wait for news of a buyer's order. */
export interface Wait extends Whose {
  waitSeconds: number;
  /** Reads the buyer's order status. */
  look(): Promise<OrderAnswer>;
  /** Whether the first status that is read is news for the client already, so that no wait is needed. */
  isNews(answer: OrderAnswer): boolean;
}

/**
 * Opens a waiter for a client. The waiter ends when the client disconnects. The caller must call `leave` in any case.
 *
 * @param req the request of the client
 * @throws as {@link Waiters.open}
 */
export async function waitFor(
  waiters: Pick<Waiters, 'open'>,
  req: IncomingMessage,
  { saleId, buyerId }: Whose,
): Promise<Pick<Waiter, 'next' | 'leave'>> {
  const waiter = await waiters.open(saleId, buyerId);
  const leave = () => {
    req.socket.off('close', leave);
    waiter.leave();
  };
  req.socket.once('close', leave);
  return { next: limitMs => waiter.next(limitMs), leave };
}

/**
 * Waits until the buyer's order status is news for the client, or `waitSeconds` are over. The status is always read and
 * never taken from a message: messages only say when to read.
 *
 * @param req the request of the client
 * @returns the buyer's status; at once if it can't change by itself
 * @throws as {@link waitFor}, and what reading the status throws
 */
export async function untilNews(
  waiters: Pick<Waiters, 'open'>,
  req: IncomingMessage,
  wait: Wait,
): Promise<OrderAnswer> {
  const endsAtMs = performance.now() + wait.waitSeconds * SECOND_MS;
  // The waiter is opened before the status is first read, so no change falls in between.
  const waiter = await waitFor(waiters, req, wait);
  try {
    const from = await wait.look();
    if (wait.isNews(from)) return from;
    let now = from;
    while (mayChange(now) && !hasMoved(from, now) && (await waiter.next(endsAtMs - performance.now())) === 'news') {
      now = await wait.look();
    }
    return now;
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
