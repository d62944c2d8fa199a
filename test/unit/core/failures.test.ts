import { expect, test } from '@jest/globals';
import { Failures } from '#core/rules/failures.js';
import { inTurn } from '#core/values/in-turn.js';

/** Runs through the sales, whose work fails with the text beside them, and returns the error. */
async function errorOf(sales: Record<string, string>): Promise<Failures> {
  const work = async ([, message]: [string, string]) => {
    if (message) throw new Error(message);
  };
  const failed = inTurn(Object.entries(sales), work, ([id]) => `sale ${id}`);
  return failed.then(
    () => Promise.reject(new Error('nothing failed')),
    error => error,
  );
}

test('every sale that fails in a round is named, with its error', async () => {
  const error = await errorOf({ a: 'no answer', b: '', c: 'no list', d: 'no answer' });
  expect(error.message).toBe('3 failed: sale a, sale d: no answer; sale c: no list');
  expect(error.errors).toEqual([new Error('no answer'), new Error('no list')]);
});

test('a run within a run tells the parts', async () => {
  const within = await errorOf({ a: 'no answer', b: 'no list' });
  const error = new Failures([{ error: within }, { error: new Error('no table') }]);
  expect(error.message).toBe('3 failed: sale a: no answer; sale b: no list; no table');
});

test('the message has a bound', async () => {
  const outage = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`s${i}`, 'no answer']));
  expect((await errorOf(outage)).message).toMatch(/^5000 failed: sale s0, .*, sale s99 and 4900 more: no answer$/);
  const defects = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`s${i}`, `defect ${i}`]));
  const error = await errorOf(defects);
  expect(error.errors).toHaveLength(20);
  expect(error.message).toMatch(/sale s19: defect 19; and 80 more messages$/);
});
