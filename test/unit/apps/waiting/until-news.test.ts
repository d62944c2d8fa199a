import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { OrderAnswer } from '../../../../apps/api/answers/order-answer.js';
import { BuyerWaiters } from '../../../../apps/api/waiting/buyer-waiters.js';
import { untilNews } from '../../../../apps/api/waiting/news.js';
import { Waiter } from '../../../../apps/api/waiting/waiter.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const QUEUED: OrderAnswer = { status: 'queued', claimId: 'c1', pollAfterMs: 400 };
const PENDING: OrderAnswer = { status: 'pending_payment', claimId: 'c1', pollAfterMs: 1_000 };

/** A wait of ten seconds, in which each look-up reads the next of the answers, and the last one from then on. */
function waitThrough(answers: OrderAnswer[], isNews: (answer: OrderAnswer) => boolean = () => false) {
  const ofBuyer = new BuyerWaiters();
  const seen = { lookUps: 0, left: 0 };
  const waiter: Waiter = new Waiter(0, () => {
    seen.left += 1;
    ofBuyer.remove(waiter);
  });
  ofBuyer.add(waiter);
  const lookUp = async () => {
    seen.lookUps += 1;
    const answer = answers[Math.min(seen.lookUps, answers.length) - 1];
    if (!answer) throw new Error('Redis is away');
    return answer;
  };
  const parts = { lookUp, waiters: { open: async () => ({ waiter, ofBuyer }) } };
  const req = { socket: Object.assign(new EventEmitter(), { destroyed: false }) } as unknown as IncomingMessage;
  const news = untilNews(parts, req, { saleId: 'sale', buyerId: 'ann', waitSeconds: 10, isNews });
  /** Wakes the waiter as often as given, each time after a second. */
  const wake = async (times: number) => {
    for (let i = 0; i < times; i += 1) {
      await jest.advanceTimersByTimeAsync(1_000);
      ofBuyer.wake();
    }
    await jest.advanceTimersByTimeAsync(0);
  };
  return { news, wake, waiter, seen };
}

describe('a wait ends', () => {
  test.each<[string, OrderAnswer, OrderAnswer]>([
    ['another status', QUEUED, PENDING],
    ['another claim', QUEUED, { ...QUEUED, claimId: 'c2' }],
  ])('with %s', async (_what, before, now) => {
    const { news, wake, seen } = waitThrough([before, now]);
    await wake(1);
    expect(await news).toEqual({ answer: now, isReplaced: false });
    expect(seen).toEqual({ lookUps: 2, left: 1 });
  });

  test('with a refused payment of the same order', async () => {
    const refused: OrderAnswer = { ...PENDING, reason: 'payment_refused' };
    const { news, wake } = waitThrough([PENDING, refused]);
    await wake(1);
    expect(await news).toEqual({ answer: refused, isReplaced: false });
  });

  test('at once, where nothing can change by itself or the first status is news', async () => {
    const paid: OrderAnswer = { status: 'paid', claimId: 'c1' };
    expect(await waitThrough([paid]).news).toEqual({ answer: paid, isReplaced: false });
    const { news, seen } = waitThrough([QUEUED, PENDING], () => true);
    expect(await news).toEqual({ answer: QUEUED, isReplaced: false });
    expect(seen).toEqual({ lookUps: 1, left: 1 });
  });

  test('after its time, with the last status that was read', async () => {
    const { news, wake, seen } = waitThrough([QUEUED]);
    await wake(9);
    expect(seen).toEqual({ lookUps: 10, left: 0 });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await news).toEqual({ answer: QUEUED, isReplaced: false });
    expect(seen).toEqual({ lookUps: 10, left: 1 });
  });

  test('when it is replaced, with the present status', async () => {
    const standby: OrderAnswer = { status: 'standby', position: 3, pollAfterMs: 2_500 };
    const { news, waiter } = waitThrough([standby, { ...standby, position: 2 }]);
    await jest.advanceTimersByTimeAsync(0);
    waiter.replace();
    expect(await news).toEqual({ answer: { ...standby, position: 2 }, isReplaced: true });
  });

  test('when its client leaves, without another look-up', async () => {
    const { news, waiter, seen } = waitThrough([QUEUED]);
    await jest.advanceTimersByTimeAsync(0);
    waiter.leave();
    expect(await news).toEqual({ answer: QUEUED, isReplaced: false });
    expect(seen).toEqual({ lookUps: 1, left: 1 });
  });

  test('when a look-up fails, and leaves no waiter behind', async () => {
    const { news, seen } = waitThrough([]);
    await expect(news).rejects.toThrow('Redis is away');
    expect(seen.left).toBe(1);
  });
});

test('a wait continues while only the position on standby or the pause changes', async () => {
  const standby: OrderAnswer = { status: 'standby', position: 3, pollAfterMs: 2_500 };
  const { news, wake, seen } = waitThrough([standby, { ...standby, position: 2, pollAfterMs: 5_000 }, QUEUED]);
  await wake(1);
  expect(seen).toEqual({ lookUps: 2, left: 0 });
  await wake(1);
  expect(await news).toEqual({ answer: QUEUED, isReplaced: false });
});
