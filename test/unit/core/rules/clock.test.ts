import { expect, test } from '@jest/globals';
import { withDeadline } from '#core/rules/clock.js';
import { DeadlineExceeded } from '#core/rules/errors.js';

const MINUTE_MS = 60_000;
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;

test('work that ends before its deadline has its own outcome, and leaves no timer', async () => {
  const before = timers();
  const late = withDeadline(Promise.resolve('done'), MINUTE_MS, 'the work');
  expect(timers()).toBe(before + 1);
  expect(await late).toBe('done');
  await expect(withDeadline(Promise.reject(new Error('broken')), MINUTE_MS, 'the work')).rejects.toThrow('broken');
  expect(timers()).toBe(before);
});

test('work that does not end fails at its deadline, and is named', async () => {
  const work = new Promise<string>(() => undefined);
  const failed = await withDeadline(work, 5, 'the work').catch(error => error);
  expect(failed).toBeInstanceOf(DeadlineExceeded);
  expect(failed.message).toBe('the work took longer than 5 ms');
});
