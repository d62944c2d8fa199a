import { expect, test } from '@jest/globals';
import { Failures } from '#core/rules/failures.js';
import { fewAtOnce, inTurn } from '#core/values/in-turn.js';

async function* upTo(count: number): AsyncGenerator<number> {
  for (let i = 1; i <= count; i += 1) yield i;
}

const immediate = () => new Promise(resolve => setImmediate(resolve));

test('of many elements a few are worked at at the same time, and each is once', async () => {
  const done: number[] = [];
  let [atOnce, most] = [0, 0];
  await fewAtOnce(3, upTo(20), async one => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await immediate();
    atOnce -= 1;
    done.push(one);
  });
  expect(most).toBe(3);
  expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});

test('one element after the other is worked at in turn', async () => {
  const done: number[] = [];
  await inTurn(upTo(3), async one => {
    if (one === 1) await immediate();
    done.push(one);
  });
  expect(done).toEqual([1, 2, 3]);
});

test.each([1, 2, 5])('with %d at once, every element is tried, and every failure told', async count => {
  const done: number[] = [];
  const work = fewAtOnce(count, upTo(10), async one => {
    await immediate();
    if (one % 3 === 0) throw new Error(`no ${one}`);
    done.push(one);
  });
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Failures);
  expect((error as Failures).failures.map(({ error: one }) => (one as Error).message).sort()).toEqual([
    'no 3',
    'no 6',
    'no 9',
  ]);
  expect(done).toHaveLength(7);
});

test('elements that cannot be read are an error', async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    throw new Error('Postgres is away');
  }
  await expect(fewAtOnce(2, broken(), () => Promise.resolve())).rejects.toThrow('Postgres is away');
});
