import { describe, expect, test } from '@jest/globals';
import { BuyerWaiters } from '../../../../apps/api/waiting/buyer-waiters.js';
import { Waiter } from '../../../../apps/api/waiting/waiter.js';

/** Creates the waiters of a buyer, with `count` of them, and a look-up whose answers come when the test says so. */
function waiting(count: number) {
  const waiters = new BuyerWaiters();
  const add = () => {
    const waiter: Waiter = new Waiter(0, () => waiters.remove(waiter));
    waiters.add(waiter);
    return waiter;
  };
  const all = Array.from({ length: count }, add);
  const answers: (() => void)[] = [];
  const look = () =>
    new Promise<{ status: 'queued'; unit: number }>(resolve => {
      const unit = answers.length + 1;
      answers.push(() => resolve({ status: 'queued', unit }));
    });
  return { waiters, all, add, look, answers };
}

describe('the waiters of one buyer', () => {
  test('share one look-up and one text after the same news', async () => {
    const { waiters, all, look, answers } = waiting(4);
    waiters.wake();
    const looks = all.map(() => waiters.look(undefined, look));
    expect(answers).toHaveLength(1);
    answers[0]?.();
    const seen = await Promise.all(looks);
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]?.text).toBe('{"status":"queued","unit":1}');
  });

  test('look again after news that came meanwhile, and after a look-up that has ended', async () => {
    const { waiters, look, answers } = waiting(2);
    const first = waiters.look(undefined, look);
    waiters.wake();
    const second = waiters.look(undefined, look);
    expect(answers).toHaveLength(2);
    answers[0]?.();
    // The end of the earlier look-up leaves the later one shared.
    await first;
    expect(waiters.look(undefined, look)).toBe(second);
    answers[1]?.();
    await second;
    expect(waiters.look(undefined, look)).not.toBe(second);
  });

  test('never share a look-up that began before a waiter came, or with another receipt', () => {
    const { waiters, add, look, answers } = waiting(1);
    void waiters.look(undefined, look);
    void waiters.look('a receipt', look);
    expect(answers).toHaveLength(2);
    add();
    void waiters.look(undefined, look);
    expect(answers).toHaveLength(3);
  });

  test('are four at most, and the oldest is replaced', async () => {
    const { all, add } = waiting(4);
    const waits = all.map(waiter => waiter.next(60_000));
    add();
    expect(await waits[0]).toBe('replaced');
    for (const waiter of all) waiter.leave();
    expect(await Promise.all(waits.slice(1))).toEqual(['left', 'left', 'left']);
  });
});
