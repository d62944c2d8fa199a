import type { IncomingMessage } from 'node:http';
import { SECOND_MS } from '#core/rules/clock.js';
import type { Question } from '../answers/look-up.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import type { Waiter } from './waiter.js';
import type { Waiters } from './waiters.js';

type Whose = Pick<Question, 'saleId' | 'buyerId'>;

/** A wait for news. */
export interface Wait extends Whose {
  waitSeconds: number;
  /** Looks the buyer's status up. */
  look(): Promise<OrderAnswer>;
  /** Whether the first status is news for the client already. */
  isNews(answer: OrderAnswer): boolean;
}

/**
 * Opens a waiter for a client. It leaves by itself when the client disconnects, and must leave in the end.
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
 * Waits until the buyer's status is news, within the time of the wait. The status is always read and never taken from a
 * message: messages only say when to look.
 *
 * @param req the request of the client
 * @returns the buyer's status; at once if it can't change by itself
 * @throws as {@link waitFor}, and what looking throws
 */
export async function untilNews(
  waiters: Pick<Waiters, 'open'>,
  req: IncomingMessage,
  wait: Wait,
): Promise<OrderAnswer> {
  const endsAtMs = performance.now() + wait.waitSeconds * SECOND_MS;
  // The waiter is opened before the first look, so no change falls in between.
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

/** Whether a status may change by itself. */
export function mayChange(answer: OrderAnswer): boolean {
  return answer.pollAfterMs !== undefined;
}

/** Whether two statuses differ. A position further ahead on standby is no news; a refused payment is. */
function hasMoved(before: OrderAnswer, now: OrderAnswer): boolean {
  return before.status !== now.status || before.claimId !== now.claimId || before.reason !== now.reason;
}
